/** Which runs a cell stands for: the product of a sweep's axes, a comparison's columns, an evaluation's items and levels. */
import { TinyGptvError, resolveDecoding, tasks, templates } from "@tinygptv/protocol";
import type { DecodingParams, Task, Template } from "@tinygptv/protocol";
import type { AskingCell, Axis } from "./cell.ts";
import { askedDecoding } from "./context.ts";
import type { Notebook } from "./document.ts";
import type { Run } from "./output.ts";

/** A run before it starts, with what it asks. */
export interface PlannedRun {
  label: string;
  model: string | undefined;
  decoding: DecodingParams;
  coordinates: Run["coordinates"];
  rounds: readonly string[];
  pictures: readonly string[];
  task: Task | undefined;
  template: Template | undefined;
  expected: string | undefined;
}

/** Runs one cell may ask for; a sweep beyond it is a mistake more often than a wish. */
export const maxRuns = 400;

/** @throws TinyGptvError "parameter" where a combination is out of range, naming the parameter */
export function planRuns(notebook: Notebook, cell: AskingCell): PlannedRun[] {
  const planned = expand(notebook, cell);
  if (planned.length > maxRuns) {
    throw new TinyGptvError(
      "parameter",
      `${cell.name ?? cell.type}: want at most ${maxRuns} runs, got ${planned.length}`,
    );
  }
  for (const run of planned) resolveDecoding(askedDecoding(run.decoding)); // throws, naming the parameter
  return planned;
}

function expand(notebook: Notebook, cell: AskingCell): PlannedRun[] {
  if (cell.type === "evaluate") return expandEvaluation(notebook, cell);
  const base: PlannedRun = {
    label: cell.name ?? "answer",
    model: cell.model ?? notebook.model,
    decoding: cell.decoding,
    coordinates: {},
    rounds: cell.rounds,
    pictures: cell.pictures,
    task: cell.task,
    template: cell.template,
    expected: undefined,
  };
  if (cell.type === "prompt") return [base];
  if (cell.type === "compare") {
    return cell.columns.map((column) => ({
      ...base,
      label: column.label,
      model: column.model ?? base.model,
      decoding: { ...base.decoding, ...column.decoding },
    }));
  }
  return product(cell.axes).map((coordinates) => vary(base, coordinates));
}

function expandEvaluation(
  notebook: Notebook,
  cell: Extract<AskingCell, { type: "evaluate" }>,
): PlannedRun[] {
  const models = cell.models.length > 0 ? cell.models : [notebook.model];
  return models.flatMap((model) =>
    cell.items.map((item, index) => ({
      label: model ?? "default",
      model,
      decoding: cell.decoding,
      coordinates: { item: index + 1 },
      rounds: [item.prompt],
      pictures: item.pictures,
      task: item.task,
      template: cell.template,
      expected: item.answer,
    })),
  );
}

/** Every combination of the axes' values; the first axis varies slowest. */
function product(axes: readonly Axis[]): Run["coordinates"][] {
  return axes.reduce<Run["coordinates"][]>(
    (rows, axis) =>
      rows.flatMap((row) => axis.values.map((value) => ({ ...row, [axis.parameter]: value }))),
    [{}],
  );
}

function vary(base: PlannedRun, coordinates: Run["coordinates"]): PlannedRun {
  const run = { ...base, decoding: { ...base.decoding } as Record<string, unknown>, coordinates };
  for (const [parameter, value] of Object.entries(coordinates)) {
    if (parameter === "model") run.model = String(value);
    else if (parameter === "task") run.task = oneOf(tasks, parameter, value);
    else if (parameter === "template") run.template = oneOf(templates, parameter, value);
    else run.decoding[parameter] = value;
  }
  const label = Object.entries(coordinates)
    .map(([parameter, value]) => `${parameter} ${value}`)
    .join(", ");
  return { ...run, label, decoding: run.decoding };
}

function oneOf<Value extends string>(
  values: readonly Value[],
  parameter: string,
  value: unknown,
): Value {
  const found = values.find((candidate) => candidate === value);
  if (found === undefined) {
    throw new TinyGptvError(
      "parameter",
      `${parameter}: want one of ${values.join(", ")}, got ${String(value)}`,
      { subject: parameter },
    );
  }
  return found;
}
