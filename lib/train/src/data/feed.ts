import { z } from "zod";
import { dataError } from "./mistakes.ts";
import { randomAt, shuffled } from "./random.ts";
import type { ListedSet, OpenSet, Sample } from "./sample.ts";

/** Batches of one set without an end. */
export interface Feed {
  next(): Promise<Sample[]>;
  state(): FeedState;
  /** @throws TinyGptvError "data": the state is of other data */
  restore(state: FeedState): Promise<void>;
}

/** All that the batches ahead depend on beside the seed. */
export const feedStateSchema = z.strictObject({
  /** How many were taken. */
  batches: z.int().min(0),
  /** Of a set with numbers: how many samples it has. */
  length: z.int().min(1).optional(),
  /** Of a set that is read on and on: where it is. */
  at: z.json().optional(),
});
export type FeedState = z.infer<typeof feedStateSchema>;

/** Which feed of a run it is. */
export interface FeedOptions {
  readonly name: string;
  readonly batchSize: number;
  readonly seed: number;
}

/** @throws TinyGptvError "data": the set has not enough for one batch */
export function openFeed(set: OpenSet, options: FeedOptions): Feed {
  const { name, batchSize, seed } = options;
  const numberAt = set.kind === "listed" ? passesOver(set, options) : undefined;
  let batches = 0;
  return {
    async next() {
      const batch = batches++;
      const samples: Sample[] = [];
      for (let row = 0; row < batchSize; row++) {
        const random = randomAt(seed, name, "sample", batch, row);
        samples.push(
          await (set.kind === "listed"
            ? set.sample(numberAt!(batch, row), random)
            : set.next(random)),
        );
      }
      return samples;
    },
    state: () =>
      set.kind === "listed" ? { batches, length: set.length } : { batches, at: set.state() },
    async restore(state) {
      if (set.kind === "listed" && state.length !== set.length)
        throw dataError(
          name,
          `want ${state.length} samples, as when the state was saved, got ${set.length}`,
        );
      if (set.kind === "endless") await set.restore(state.at);
      ({ batches } = state);
    },
  };
}

/**
 * Which sample stands in which row of which batch. Every pass over a set has an order of its
 * own, and what is left behind its last whole batch is left out, as in the reference.
 */
function passesOver(
  { length }: ListedSet,
  { name, batchSize, seed }: FeedOptions,
): (batch: number, row: number) => number {
  const perPass = Math.floor(length / batchSize);
  if (perPass === 0)
    throw dataError(name, `want at least the ${batchSize} samples of a batch, got ${length}`);
  let order: { pass: number; numbers: Uint32Array } | undefined;
  return (batch, row) => {
    const pass = Math.floor(batch / perPass);
    if (order?.pass !== pass)
      order = { pass, numbers: shuffled(randomAt(seed, name, "pass", pass), length) };
    return order.numbers[(batch % perPass) * batchSize + row]!;
  };
}
