import type { Random } from "./random.ts";

/** What a data set teaches about one thing, in its own words: a stage's template comes later. */
export interface Sample {
  /** Where it comes from, for messages: `train.jsonl:12`, `detail_23k.json[4]`. */
  readonly place: string;
  /** Path of the picture, or its place in a shard (`readPicture`); undefined where there is none. */
  readonly picture: string | undefined;
  readonly rounds: readonly Round[];
}

/** A question and its answer. */
export interface Round {
  /** With a mark `<ImageHere>` where the picture goes; undefined where a set has captions alone. */
  readonly instruction: string | undefined;
  readonly answer: string;
}

/** A data set whose samples have numbers. */
export interface ListedSet {
  readonly kind: "listed";
  readonly length: number;
  /** A sample by its number. @param random what a set draws anew whenever a sample is seen: one wording, one answer of many */
  sample(index: number, random: Random): Promise<Sample>;
}

/** A data set that is read on and on, its samples in an order of its own. */
export interface EndlessSet {
  readonly kind: "endless";
  /** The next sample. @param random what the set draws anew for it */
  next(random: Random): Promise<Sample>;
  /** All that the order ahead depends on, as plain JSON. */
  state(): Json;
  /** @throws TinyGptvError "data": the state is of another set */
  restore(state: unknown): Promise<void>;
}

/** A data set that was opened. */
export type OpenSet = ListedSet | EndlessSet;

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
