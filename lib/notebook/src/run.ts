/**
 * Runs cells against an engine: the real one in a process beside (command
 * line), or one behind HTTP (playground). Knows nothing of either.
 */
import { TinyGptvError, judge, throwIfAborted } from "@tinygptv/protocol";
import type { GenerateRequest, Round } from "@tinygptv/protocol";
import type { AskingCell } from "./cell.ts";
import { askedDecoding, callOptions, pictureBytes, runError, type RunContext } from "./context.ts";
import { applyEvent, type Answer, type Output, type OutputEvent, type Run } from "./output.ts";
import { planRuns, type PlannedRun } from "./plan.ts";
import { fingerprint } from "./fingerprint.ts";
import { resolveRound } from "./references.ts";
import { crossScores } from "./score.ts";

/** Requests a sweep keeps in flight; the server batches them. */
const sweepConcurrency = 4;

/**
 * Asks everything a cell asks. A failed run is part of the output, and the
 * others go on.
 * @param show receives the output whenever it has grown: each time another
 *   object, which shares with the earlier one what has not changed
 * @throws TinyGptvError where the cell itself is wrong (parameters, references) or on abort
 */
export async function runCell(
  cell: AskingCell,
  context: RunContext,
  show: (output: Output) => void,
): Promise<Output> {
  const planned = planRuns(context.notebook, cell);
  if (planned.length === 0)
    throw new TinyGptvError(
      "prompt",
      `${cell.name ?? cell.type}: want at least one question, got none`,
    );
  let output: Output = {
    inputs: fingerprint(context.notebook, cell, context.outputOf),
    at: context.now(),
    runs: [],
    scores: [],
  };
  const record = (event: OutputEvent): Output => {
    output = applyEvent(output, event);
    show(output);
    return output;
  };
  // Resolved before anything is asked: a wrong reference fails the cell, not its last run.
  const rounds = planned.map((run) =>
    run.rounds.map((text, i) =>
      resolveRound(context.notebook, text, i === 0 ? run.pictures : [], context.outputOf),
    ),
  );
  planned.forEach((run, i) => refuseEmpty(run, rounds[i] ?? []));
  record({
    type: "plan",
    runs: planned.map((run, i) =>
      plannedRun(
        run,
        (rounds[i] ?? []).flatMap((round) => round.pictures),
      ),
    ),
  });
  await inParallel(planned.length, concurrencyOf(cell), context.signal, (index) => {
    const run = planned[index];
    return run === undefined
      ? Promise.resolve()
      : runOne(cell, run, rounds[index] ?? [], index, context, record);
  });
  throwIfAborted(context.signal);
  if (cell.type === "compare" && new Set(planned.map((run) => run.model)).size > 1) {
    record({ type: "scores", ...(await crossScores(output, context)) });
  }
  return output;
}

/** Tasks that say all by themselves. */
const wordless: readonly (string | undefined)[] = ["caption", "grounding"];

/** @throws TinyGptvError "prompt" where a question says nothing */
function refuseEmpty({ task }: PlannedRun, rounds: readonly { text: string }[]): void {
  const empty = rounds.findIndex(({ text }) => text.trim() === "");
  if (empty === -1 || wordless.includes(task)) return;
  const subject = rounds.length > 1 ? `question, round ${empty + 1}` : "question";
  throw new TinyGptvError("prompt", `${subject}: want words, got none`, { subject });
}

/** Comparisons and evaluations ask one after the other, so that their times can be compared. */
function concurrencyOf(cell: AskingCell): number {
  if (cell.type === "sweep") return sweepConcurrency;
  return cell.type === "compare" && cell.together === true ? cell.columns.length : 1;
}

const plannedRun = (run: PlannedRun, pictures: string[]): Run => ({
  label: run.label,
  ...(run.model !== undefined && { model: run.model }),
  decoding: run.decoding,
  coordinates: run.coordinates,
  pictures,
  state: "waiting",
  answers: [],
  ...(run.expected !== undefined && { expected: run.expected }),
});

async function runOne(
  cell: AskingCell,
  run: PlannedRun,
  rounds: readonly { text: string; pictures: readonly string[] }[],
  index: number,
  context: RunContext,
  record: (event: OutputEvent) => Output,
): Promise<void> {
  record({ type: "run", run: index, state: "running" });
  let answer: Answer | undefined;
  const said: Round[] = [];
  const pictures: Uint8Array[] = [];
  try {
    for (const round of rounds) {
      pictures.push(
        ...(await Promise.all(round.pictures.map((name) => pictureBytes(name, context)))),
      );
      said.push({ prompt: round.text, images: round.pictures.length });
      const request = requestOf(cell, run, structuredClone(said), said.length === rounds.length);
      record({ type: "answer", run: index, request });
      for await (const event of context.engine.generate(
        request,
        pictures,
        callOptions(run.model, context.signal),
      )) {
        answer = record({ type: "generate", run: index, event }).runs[index]?.answers.at(-1);
      }
      const last = said.at(-1);
      if (last !== undefined && answer !== undefined) last.answer = answer.text;
    }
    record({
      type: "run",
      run: index,
      state: "done",
      ...verdict(cell, run, answer),
    });
  } catch (error) {
    const stopped = context.signal.aborted;
    record({
      type: "run",
      run: index,
      state: stopped ? "stopped" : "error",
      ...(!stopped && { error: runError(error) }),
    });
  }
}

function requestOf(
  cell: AskingCell,
  run: PlannedRun,
  rounds: Round[],
  last: boolean,
): GenerateRequest {
  return {
    rounds,
    ...(run.task !== undefined && { task: run.task }),
    ...(run.template !== undefined && { template: run.template }),
    ...("imageMode" in cell && cell.imageMode !== undefined && { imageMode: cell.imageMode }),
    ...(last &&
      "answerPrefix" in cell &&
      cell.answerPrefix !== undefined && { answerPrefix: cell.answerPrefix }),
    decoding: askedDecoding(run.decoding),
  };
}

function verdict(
  cell: AskingCell,
  run: PlannedRun,
  answer: Answer | undefined,
): { correct?: boolean } {
  if (cell.type !== "evaluate" || answer === undefined || run.expected === undefined) return {};
  return { correct: judge(cell.metric, answer.text, run.expected) };
}

async function inParallel(
  count: number,
  limit: number,
  signal: AbortSignal,
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count && !signal.aborted) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(limit, count) }, worker));
}
