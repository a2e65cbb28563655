import { z } from "zod";
import { openDataSet, type DataSetSpec } from "./dataSets.ts";
import type { Example } from "./example.ts";
import { feedStateSchema, openFeed, type Feed } from "./feed.ts";
import { dataError, parseRecord } from "./mistakes.ts";
import { pickByWeight, randomAt } from "./random.ts";
import { toExamples, type Wording } from "./wording.ts";

/** A data set in a mixture. */
export interface MixtureSpec extends DataSetSpec {
  /** Its share of the steps, against the sum of all. */
  readonly ratio: number;
  readonly batchSize: number;
  readonly wording: Wording;
}

/** Batches of several data sets without an end; seed and step say what is in each. */
export interface Mixture {
  /** The batch of the next step, all of one set; one call at a time. @throws TinyGptvError "data": a sample cannot be read */
  next(): Promise<Example[]>;
  /** What `restore` wants to go on from here. */
  state(): MixtureState;
  /** @throws TinyGptvError "data": the state is of another mixture */
  restore(state: unknown): Promise<void>;
}

const stateSchema = z.strictObject({
  seed: z.number(),
  /** Steps that were taken. */
  step: z.int().min(0),
  /** By name of the set. */
  sets: z.record(z.string(), feedStateSchema),
});
/** Where a mixture stands, as plain JSON. */
export type MixtureState = z.infer<typeof stateSchema>;

/**
 * Opens all sets, which reads and checks their annotations. Each step then draws
 * one set by its ratio and takes one batch of that set's size, as the reference does.
 *
 * @throws TinyGptvError "data": a set is missing, damaged or too small for its batch
 */
export async function openMixture(specs: readonly MixtureSpec[], seed: number): Promise<Mixture> {
  checkSpecs(specs);
  const feeds: (MixtureSpec & { feed: Feed })[] = [];
  for (const spec of specs)
    feeds.push({ ...spec, feed: openFeed(await openDataSet(spec), { ...spec, seed }) });
  const ratios = specs.map(({ ratio }) => ratio);
  let step = 0;
  return {
    async next() {
      const now = step++;
      const { feed, wording } = feeds[pickByWeight(randomAt(seed, "set", now), ratios)]!;
      return toExamples(await feed.next(), wording, randomAt(seed, "wording", now));
    },
    state: () => ({
      seed,
      step,
      sets: Object.fromEntries(feeds.map(({ name, feed }) => [name, feed.state()])),
    }),
    async restore(state) {
      const found = parseRecord(stateSchema, state, "the state of the data");
      const [want, got] = [names(Object.keys(found.sets)), names(feeds.map(({ name }) => name))];
      if (want !== got)
        throw dataError("the data", `want the sets of the saved state (${want}), got ${got}`);
      if (found.seed !== seed)
        throw dataError(
          "the data",
          `want the seed of the saved state (${found.seed}), got ${seed}`,
        );
      for (const { name, feed } of feeds) await feed.restore(found.sets[name]!);
      ({ step } = found);
    },
  };
}

const names = (list: readonly string[]) => list.toSorted().join(", ");

function checkSpecs(specs: readonly MixtureSpec[]): void {
  if (specs.length === 0) throw dataError("the data", "want at least one set, got none");
  specs.forEach(({ name, ratio, batchSize }, i) => {
    if (specs.findIndex((spec) => spec.name === name) !== i)
      throw dataError(name, "want a name for each set, got two sets of this one");
    if (!(ratio > 0 && Number.isFinite(ratio)))
      throw dataError(name, `ratio: want a number above 0, got ${ratio}`);
    if (!(Number.isInteger(batchSize) && batchSize > 0))
      throw dataError(name, `batchSize: want a whole number from 1, got ${batchSize}`);
  });
}
