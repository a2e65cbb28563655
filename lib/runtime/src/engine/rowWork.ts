import type { ForwardRow, LanguageModel } from "../decoding/sequence.ts";
import { TinyGptvError } from "@tinygptv/protocol";

/** One row of a decoder's step on its way through the model; long inputs take several forwards. */
export interface RowWork<Task> {
  readonly task: Task;
  /** Place of the row in what the decoder yielded. */
  readonly index: number;
  readonly row: ForwardRow;
  /** Positions already run. */
  done: number;
  /** Passes that another input of the same client was run in since this one was. */
  passedOver: number;
  /** Logits [1 or positions, vocabulary], one entry a chunk. */
  readonly logits: Float32Array[];
}

/** Positions of a row's input. */
function positions(row: ForwardRow, width: number): number {
  return "tokens" in row.input ? row.input.tokens.length : row.input.embeds.length / width;
}

/**
 * Checks a row before any of it runs: the model checks a chunk only when its
 * turn comes, when earlier chunks have already changed the sequence, and its
 * refusal would hit everybody in the batch.
 * @throws TinyGptvError `prompt` where the input is empty or malformed, `context` where it outgrows the context.
 */
export function checkRow(row: ForwardRow, model: LanguageModel): void {
  const count = positions(row, model.width);
  if (count === 0) refuse("input: want at least one position, got none");
  if (!Number.isInteger(count))
    refuse(`input: want rows of ${model.width} numbers, got ${count} rows`);
  if ("tokens" in row.input) {
    const stray = row.input.tokens.find((id) => !(id >= 0 && id < model.vocabularySize));
    if (stray !== undefined) refuse(`token: want 0 to ${model.vocabularySize - 1}, got ${stray}`);
  }
  const length = row.sequence.length + count;
  if (length > model.contextLength) {
    refuse(`context: want at most ${model.contextLength} positions, got ${length}`, "context");
  }
}

function refuse(message: string, code: "prompt" | "context" = "prompt"): never {
  throw new TinyGptvError(code, message, { subject: "prompt" });
}

/** Positions of a row still to run. */
export function remaining(work: RowWork<unknown>, width: number): number {
  return positions(work.row, width) - work.done;
}

/** Whether a row is a single position (decoding); longer ones are inputs, which are run in chunks. */
export function isStep(work: RowWork<unknown>, width: number): boolean {
  return positions(work.row, width) === 1;
}

/**
 * Positions after which inputs are cut, counted from the beginning of the
 * sequence, and nowhere else. Attention adds up what is cached and what is new
 * apart, so where an input is cut decides its last digits; were it cut by time or
 * by what else runs, an answer would depend on that. At full width and 8 layers a
 * prompt of 256 positions takes 4% more in chunks of 32 than in chunks of 128; at
 * full size a chunk takes about half a second on two cores, more at the end of a
 * long prompt (docs/performance.md).
 */
export const promptChunk = 32;

/** The positions of an input's next chunk: up to the next cut. */
export function chunkSize(work: RowWork<unknown>, width: number, chunk: number): number {
  return Math.min(remaining(work, width), chunk - (work.row.sequence.length % chunk));
}

/** As often may shorter inputs of a client go before a longer one, one after the other. */
const patience = 2;

/** Inputs in the order in which one client's are run: the shortest rest first, but what has been passed over before all. */
export function byLength<Task>(inputs: readonly RowWork<Task>[], width: number): RowWork<Task>[] {
  const rank = (work: RowWork<Task>) =>
    work.passedOver >= patience ? -work.passedOver : remaining(work, width);
  return inputs.toSorted((one, other) => rank(one) - rank(other));
}

/**
 * In turns of clients, the one served longest ago first; each client's own in
 * their order. So a client with one row is in every forward, however many
 * another has.
 * @param served when each client was last in a forward, as a count
 */
export function inTurns<Task extends { readonly client: string }>(
  ready: readonly RowWork<Task>[],
  served: ReadonlyMap<string, number>,
): RowWork<Task>[] {
  const lines = new Map<string, RowWork<Task>[]>();
  for (const work of ready) {
    const { client } = work.task;
    lines.set(client, [...(lines.get(client) ?? []), work]);
  }
  const turns = [...lines]
    .toSorted(([one], [other]) => (served.get(one) ?? -1) - (served.get(other) ?? -1))
    .map(([, line]) => line);
  const rounds = Math.max(0, ...turns.map(({ length }) => length));
  return Array.from({ length: rounds }, (_, round) =>
    turns.flatMap((line) => line.slice(round, round + 1)),
  ).flat();
}

/** The next `size` positions of a row; logits are asked for where the decoder wants them. */
export function chunkOf(work: RowWork<unknown>, size: number, width: number): ForwardRow {
  const { sequence, input, logits } = work.row;
  const end = work.done + size;
  const isLast = end === positions(work.row, width);
  return {
    sequence,
    input:
      "tokens" in input
        ? { tokens: input.tokens.slice(work.done, end) }
        : { embeds: input.embeds.subarray(work.done * width, end * width) },
    logits: isLast || logits === "all" ? logits : "none",
  };
}

/** The logits of a finished row as the decoder gets them. */
export function joinLogits(work: RowWork<unknown>): Float32Array {
  const [only, ...more] = work.logits;
  if (only && more.length === 0) return only;
  const joined = new Float32Array(work.logits.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of work.logits) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
