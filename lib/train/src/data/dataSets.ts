import type { TinyGptvError } from "@tinygptv/protocol";
import { dataError, strict, type Report } from "./mistakes.ts";
import { joined } from "./listed.ts";
import { openOwn } from "./own/own.ts";
import type { ListedSet, OpenSet } from "./sample.ts";

/** Where a data set is, and in what format. */
export interface DataSetSpec {
  /** What it is called in messages; part of what its order depends on. */
  readonly name: string;
  readonly format: DataFormat;
  /** A file, a folder or a pattern of shards, as the format has it; or several. */
  readonly data: string | readonly string[];
  /** Folder of the pictures, where the format does not say it. */
  readonly images?: string | undefined;
}

/** Opens one file (or folder, or pattern). */
type Open<Set extends OpenSet> = (
  data: string,
  images: string | undefined,
  report: Report,
) => Promise<Set>;

/** Sets whose samples have numbers, by the names that the reference's configs give them. */
const listedFormats = {
  own: openOwn,
} satisfies Record<string, Open<ListedSet>>;

export type DataFormat = keyof typeof listedFormats;

/** All formats that are read. */
export const dataFormats = Object.keys(listedFormats) as DataFormat[];

/**
 * Opens a data set: reads and checks its annotations.
 *
 * @param report what is told of each mistake; the first is an error where it is not given
 * @throws TinyGptvError "data": something is missing or wrong
 */
export async function openDataSet(spec: DataSetSpec, report: Report = strict): Promise<OpenSet> {
  const { name, format, data, images } = spec;
  const open = listedFormats[format];
  if (open === undefined)
    throw dataError(name, `format: want one of ${dataFormats.join(", ")}, got ${format}`);
  const sets: ListedSet[] = [];
  for (const one of [data].flat()) sets.push(await open(one, images, report));
  return joined(sets);
}

/** What an answer may be long, counted as the model's tokenizer does. */
export interface AnswerLimit {
  readonly maxAnswerTokens: number;
  countTokens(text: string): number;
}

/**
 * All that is wrong with a data set, in the order in which it stands there: what `openDataSet`
 * would throw first, and what comes after it.
 *
 * @param limit where it is given, answers that would be cut are mistakes, too
 */
export async function findMistakes(
  spec: DataSetSpec,
  limit?: AnswerLimit,
): Promise<TinyGptvError[]> {
  const mistakes: TinyGptvError[] = [];
  const set = await openDataSet(spec, (mistake) => void mistakes.push(mistake));
  if (limit === undefined || set.kind !== "listed") return mistakes;
  for (let i = 0; i < set.length; i++) {
    const { place, rounds } = await set.sample(i, () => 0);
    const tokens = rounds.reduce((sum, { answer }) => sum + limit.countTokens(answer), 0);
    if (tokens > limit.maxAnswerTokens)
      mistakes.push(
        dataError(place, `want answers of at most ${limit.maxAnswerTokens} tokens, got ${tokens}`),
      );
  }
  return mistakes;
}
