/**
 * All that a cell has answered. A run appends an output; none takes the place of
 * another, whatever becomes of it.
 */
import type { AnswerToken } from "@tinygptv/protocol";
import type { Output, Run, RunError } from "./output.ts";

/** So many outputs of a cell are kept, the latest ones. */
export const maxKept = 20;

/** Tokens and rivals that the outputs of a cell hold together; beyond it the oldest lose the rivals. */
const maxDetails = 30_000;

/** The latest outputs of a cell. */
export interface KeptOutputs {
  /** In the order they were made; each is known by its start (`at`). */
  readonly outputs: readonly Output[];
  /** Start of the one that is shown: other cells use it, and files have it. */
  readonly shown: string;
}

/** The output that stands under the cell: the one chosen, or the latest. */
export const shownOutput = ({ outputs, shown }: KeptOutputs): Output | undefined =>
  outputs.find(({ at }) => at === shown) ?? outputs.at(-1);

/** With one more output, or with a later state of one that is there; it is the one shown. */
export function withOutput(kept: KeptOutputs | undefined, output: Output): KeptOutputs {
  const before = kept?.outputs ?? [];
  const known = before.some(({ at }) => at === output.at);
  const outputs = known
    ? before.map((other) => (other.at === output.at ? output : other))
    : [...before, output];
  return bounded({ outputs, shown: output.at });
}

/**
 * Outputs of a cell from wherever they were kept, in any order.
 * @param chosen start of the one that was shown; otherwise it is the latest that is whole
 */
export function keptOutputs(outputs: readonly Output[], chosen?: string): KeptOutputs | undefined {
  if (outputs.length === 0) return undefined;
  const inOrder = outputs.toSorted((a, b) => (a.at < b.at ? -1 : 1));
  const best =
    inOrder.find(({ at }) => at === chosen) ??
    inOrder.reduce((shown, next) => (isStep(next, shown) ? next : shown));
  return bounded({ outputs: inOrder, shown: best.at });
}

/** All of a cell's outputs as one, for a file: the one shown, with the others in it. */
export function folded(kept: KeptOutputs): Output | undefined {
  const shown = shownOutput(kept);
  const others = kept.outputs.filter((output) => output !== shown);
  return shown === undefined || others.length === 0 ? shown : { ...shown, others };
}

/** What `folded` made. */
export function unfolded({ others = [], ...shown }: Output): KeptOutputs {
  return keptOutputs([...others, shown], shown.at) ?? { outputs: [shown], shown: shown.at };
}

/** Once the newest is complete or has failed: it stays in sight unless less came of it than of the one shown before. */
export function settled(kept: KeptOutputs, before: string | undefined): KeptOutputs {
  const newest = kept.outputs.at(-1);
  const former = kept.outputs.find(({ at }) => at === before);
  return newest === undefined || former === undefined || isStep(newest, former)
    ? kept
    : { ...kept, shown: former.at };
}

/** Whether an output takes the place of an earlier one: all of it went well, or more than before. */
function isStep(next: Output, former: Output): boolean {
  const done = next.runs.filter(isDone).length;
  return done === next.runs.length || done > former.runs.filter(isDone).length;
}

const isDone = ({ state }: Run): boolean => state === "done";

/** Why the newest output is less than was asked for, where one went before it that is shown instead. */
export const shortfall = ({ outputs, shown }: KeptOutputs): Run | undefined => {
  const newest = outputs.at(-1);
  return newest === undefined || newest.at === shown ? undefined : newest.runs.find(isShort);
};

const isShort = ({ state }: Run): boolean => state === "error" || state === "stopped";

/** Whether anything came of it; what failed before it began is an attempt, no answer. */
export const hasAnswer = ({ runs }: Output): boolean =>
  runs.some(
    (run) =>
      isDone(run) || run.answers.some(({ text, tokens }) => text !== "" || tokens.length > 0),
  );

/** Whether an output is still being made. */
export const isGrowing = ({ runs }: Output): boolean => runs.some(isOpen);

const isOpen = ({ state }: Run): boolean => state === "running" || state === "waiting";

/** An output that nobody goes on with, and why where it was not a person's will. */
export function ended(output: Output, error?: RunError): Output {
  if (!isGrowing(output)) return output;
  const runs = output.runs.map((run) =>
    isOpen(run)
      ? { ...run, state: "stopped" as const, ...(error !== undefined && { error }) }
      : run,
  );
  return { ...output, runs };
}

/** An output as it was when the page that made it went away. */
export const interrupted = (output: Output): Output =>
  ended(output, {
    code: "aborted",
    message: "Interrupted: the page was closed or reloaded. This is what had arrived.",
  });

/** Without the rivals of its tokens, which are most of it. */
export function withoutRivals(output: Output): Output {
  const plain = (tokens: readonly AnswerToken[]): AnswerToken[] =>
    tokens.map(({ top: _top, ...token }) => token);
  const runs = output.runs.map((run) => ({
    ...run,
    answers: run.answers.map((answer) => ({
      ...answer,
      tokens: plain(answer.tokens),
      hypotheses: answer.hypotheses.map((each) => ({ ...each, tokens: plain(each.tokens) })),
    })),
  }));
  const scores = output.scores.map((score) => ({ ...score, tokens: plain(score.tokens) }));
  return { ...output, runs, scores };
}

/**
 * At most `maxKept`, and of attempts without an answer the newest; the rivals of
 * the oldest left out where there are too many. The one shown stays as it is.
 */
function bounded({ outputs: all, shown }: KeptOutputs): KeptOutputs {
  const outputs = all.filter(
    (output, i) => output.at === shown || i === all.length - 1 || hasAnswer(output),
  );
  const surplus = new Set(
    outputs
      .filter(({ at }) => at !== shown)
      .slice(0, Math.max(0, outputs.length - maxKept))
      .map(({ at }) => at),
  );
  const newest = outputs.at(-1);
  let room = maxDetails;
  const fitting = outputs
    .filter(({ at }) => !surplus.has(at))
    .toReversed()
    .map((output) => {
      const details = detailsIn(output);
      room -= details;
      const whole = room >= 0 || output === newest || output.at === shown || details === 0;
      return whole ? output : withoutRivals(output);
    });
  return { outputs: fitting.toReversed(), shown };
}

const sizes = new WeakMap<Output, number>();

/** How many rivals an output lists. */
function detailsIn(output: Output): number {
  const known = sizes.get(output);
  if (known !== undefined) return known;
  const rivals = (tokens: readonly AnswerToken[]): number =>
    tokens.reduce((sum, { top }) => sum + (top?.length ?? 0), 0);
  const answers = output.runs.flatMap((run) => run.answers);
  const size =
    answers.reduce(
      (sum, { tokens, hypotheses }) =>
        sum + rivals(tokens) + hypotheses.reduce((more, each) => more + rivals(each.tokens), 0),
      0,
    ) + output.scores.reduce((sum, { tokens }) => sum + rivals(tokens), 0);
  sizes.set(output, size);
  return size;
}
