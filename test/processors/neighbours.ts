/** What it changes for a row to be run beside others, or its prompt in chunks. */
import { argmax, logSumExp } from "../../lib/runtime/src/decoding/logSoftmax.ts";
import type { LanguageModel } from "../../lib/runtime/src/decoding/sequence.ts";

/** Against the same row alone, its prompt in one chunk. */
export interface Difference {
  /** Tokens that would have been chosen otherwise. */
  tokens: number;
  /** Of a chosen token's log-probability, the largest. */
  logprob: number;
  /** Logits of which any bit is another. */
  logits: number;
}

/** `batch of 3`, `chunks of 7` -> what it changes. */
export type Neighbours = Record<string, Difference>;

/** Rows of a forward pass; odd numbers too, as kernels take rows by twos and fours. */
const batches = [2, 3, 5, 8];
/** Positions of each row's prompt: a batch has rows of several lengths. */
const lengths = [5, 3, 6, 2, 4, 1, 5, 3];
/** Positions of a forward pass; the last chunk of a prompt is shorter, and is one position of 15 and of 8. */
const chunks = [1, 7, 15];
const longPrompt = 16;
const steps = 3;

/** A row's logits at each step, [steps][vocabulary]. */
type Row = readonly Float32Array[];

export async function compareNeighbours(model: LanguageModel): Promise<Neighbours> {
  const differences: Neighbours = {};
  const prompts = lengths.map((length, row) => promptOf(length, row, model.vocabularySize));
  const alone: Row[] = [];
  for (const prompt of prompts) alone.push(...(await follow(model, [prompt])));
  for (const count of batches) {
    const together = await follow(model, prompts.slice(0, count), alone);
    differences[`batch of ${count}`] = differenceOf(together, alone);
  }
  const long = [promptOf(longPrompt, prompts.length, model.vocabularySize)];
  const whole = await follow(model, long);
  for (const size of chunks)
    differences[`chunks of ${size}`] = differenceOf(await follow(model, long, whole, size), whole);
  return differences;
}

/** Tokens that repeat in no row and are the same in every run. */
const promptOf = (length: number, row: number, vocabulary: number) =>
  Array.from({ length }, (_, position) => (97 * row + 31 * position + 5) % vocabulary);

/**
 * Runs prompts in common forward passes, then one token after the other.
 * @param like rows whose most probable tokens are gone on with; their own unless given
 */
async function follow(
  model: LanguageModel,
  prompts: readonly number[][],
  like?: readonly Row[],
  chunk = Math.max(...prompts.map(({ length }) => length)),
): Promise<Row[]> {
  const sequences = prompts.map(() => model.create());
  const run = async (inputs: readonly number[][]) => {
    const rows = inputs.map((tokens, i) => ({
      sequence: sequences[i]!,
      input: { tokens },
      logits: "last" as const,
    }));
    return (await model.forward(rows)).map((logits) => logits.slice());
  };
  const found = prompts.map((): Float32Array[] => []);
  try {
    let inputs = prompts.map((prompt) => prompt.slice(0, chunk));
    for (let start = chunk; start < prompts[0]!.length; start += chunk) {
      await run(inputs);
      inputs = prompts.map((prompt) => prompt.slice(start, start + chunk));
    }
    for (let step = 0; step < steps; step++) {
      (await run(inputs)).forEach((logits, i) => found[i]!.push(logits));
      inputs = (like ?? found).slice(0, prompts.length).map((row) => [argmax(row[step]!)]);
    }
    return found;
  } finally {
    for (const sequence of sequences) model.release(sequence);
  }
}

function differenceOf(rows: readonly Row[], alone: readonly Row[]): Difference {
  const difference: Difference = { tokens: 0, logprob: 0, logits: 0 };
  rows.forEach((row, i) =>
    row.forEach((logits, step) => {
      const wanted = alone[i]![step]!;
      const token = argmax(wanted);
      if (argmax(logits) !== token) difference.tokens++;
      const logprob = (one: Float32Array) => one[token]! - logSumExp(one);
      const apart = Math.abs(logprob(logits) - logprob(wanted));
      difference.logprob = Math.max(difference.logprob, apart);
      difference.logits += logits.filter((value, at) => !Object.is(value, wanted[at])).length;
    }),
  );
  return difference;
}
