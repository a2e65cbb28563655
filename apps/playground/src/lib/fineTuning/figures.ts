/** How a training did, from what the endpoint tells of it. */
import type { CellOf, TrainingFigure } from "@tinygptv/notebook";
import type { FineTuningEvent } from "@tinygptv/protocol/http";

/** A point of the curve. */
export interface LossPoint {
  readonly step: number;
  readonly loss: number;
}

/** Everything that a cell shows of a training. */
export interface Course {
  readonly losses: readonly LossPoint[];
  readonly figures: readonly TrainingFigure[];
}

/** The fold over a job's events: where it went on after a stop, what was told of later steps is done again. */
export function courseOf(events: readonly FineTuningEvent[]): Course {
  let losses: LossPoint[] = [];
  let figures: TrainingFigure[] = [];
  for (const { data = {} } of events) {
    const { from, step, train_loss: loss, evaluations } = data;
    if (from !== undefined) {
      losses = losses.filter((point) => point.step <= from);
      figures = figures.filter((figure) => figure.step <= from);
    }
    if (step === undefined) continue;
    if (loss !== undefined) losses.push({ step, loss });
    if (evaluations === undefined) continue;
    const right = (name: string) => evaluations.find((each) => each.name === name)?.right;
    figures.push(
      figureAt(step, losses, figures, {
        heldOut: right("validation_data"),
        replayed: right("replay_data"),
      }),
    );
  }
  const last = losses.at(-1);
  if (last !== undefined && figures.at(-1)?.step !== last.step)
    figures.push(figureAt(last.step, losses, figures, {}));
  return { losses, figures };
}

function figureAt(
  step: number,
  losses: readonly LossPoint[],
  before: readonly TrainingFigure[],
  { heldOut, replayed }: { heldOut?: number | undefined; replayed?: number | undefined },
): TrainingFigure {
  const since = losses.filter((point) => point.step > (before.at(-1)?.step ?? 0));
  const loss = since.reduce((sum, point) => sum + point.loss, 0) / since.length;
  return {
    step,
    ...(since.length > 0 && { loss: Number(loss.toPrecision(4)) }),
    ...(heldOut !== undefined && { heldOut }),
    ...(replayed !== undefined && { replayed }),
  };
}

/** The figures as a table, for the page and for files of it. */
export function figureTable(figures: readonly TrainingFigure[]): {
  columns: string[];
  rows: string[][];
} {
  const all = [
    ["Step", (figure: TrainingFigure) => figure.step],
    ["Loss", (figure: TrainingFigure) => figure.loss],
    ["Held-out answers right", (figure: TrainingFigure) => figure.heldOut],
    ["Old answers right", (figure: TrainingFigure) => figure.replayed],
  ] as const;
  const used = all.filter(([, value]) => figures.some((figure) => value(figure) !== undefined));
  return {
    columns: used.map(([column]) => column),
    rows: figures.map((figure) => used.map(([, value]) => String(value(figure) ?? ""))),
  };
}

/** What a training was set to, in a sentence. */
export const trainingWords = (cell: CellOf<"finetune">): string =>
  `${cell.steps} steps over the answers of ${cell.source || "no evaluation"}, rank ${cell.rank}, learning rate ${cell.rate}${
    cell.replay === undefined
      ? ""
      : `; half of them over ${cell.replay}, so that it is not forgotten`
  }${cell.trained === undefined ? "" : `; it became ${cell.trained}`}.`;
