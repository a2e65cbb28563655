import type { Axis } from "tinygptv/notebook";
import { tasks, templates } from "tinygptv/protocol";
import { complaint, settingOf } from "#lib/settings/table.ts";

const maxValues = 64;

/**
 * What a person typed as an axis: `0.2, 0.6, 1`, a range `1..5`, or words for
 * parameters that are words.
 */
export function parseValues(
  parameter: string,
  text: string,
): { values: Axis["values"] } | { problem: string } {
  const parts = text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  const values = parts.flatMap((part) => range(part) ?? [value(part)]);
  if (values.length === 0) return { problem: "Want at least one value" };
  if (values.length > maxValues)
    return { problem: `Want at most ${maxValues} values, got ${values.length}` };
  const setting = settingOf(parameter);
  for (const candidate of values) {
    const wrong = setting && complaint(setting, typeof candidate === "number" ? candidate : NaN);
    if (wrong !== undefined) return { problem: wrong };
  }
  return { values };
}

function range(part: string): number[] | undefined {
  const match = /^(\d+)\.\.(\d+)$/.exec(part);
  if (match === null) return undefined;
  const [from, to] = [Number(match[1]), Number(match[2])];
  return Array.from(
    { length: Math.min(maxValues + 1, Math.max(0, to - from + 1)) },
    (_, i) => from + i,
  );
}

function value(part: string): string | number | boolean {
  if (part === "true" || part === "false") return part === "true";
  return Number.isFinite(Number(part)) ? Number(part) : part;
}

/** Values to begin with when a parameter is chosen. */
export function suggestedValues(parameter: string, models: readonly string[]): Axis["values"] {
  const words: Record<string, readonly string[]> = {
    model: models,
    task: tasks,
    template: templates,
    method: ["greedy", "sample"],
    earlyStopping: ["never"],
  };
  const known = words[parameter];
  if (known !== undefined && known.length > 0) return known.slice(0, 8);
  if (parameter === "seed") return [1, 2, 3, 4];
  const setting = settingOf(parameter);
  if (setting === undefined) return [1];
  const points = [0, 1, 2, 3].map((i) => setting.min + ((setting.max - setting.min) * i) / 3);
  return [
    ...new Set(
      points.map((point) => Number((Math.round(point / setting.step) * setting.step).toFixed(4))),
    ),
  ];
}
