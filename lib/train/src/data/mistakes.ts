import { faultsIn, sentence, shorten, TinyGptvError } from "@tinygptv/protocol";
import type { z } from "zod";

/**
 * What is told of every mistake in data. Where it throws, the first mistake ends
 * the reading; where it returns, what is wrong is left out and reading goes on.
 */
export type Report = (mistake: TinyGptvError) => void;

/** The first mistake is an error. */
export const strict: Report = (mistake) => {
  throw mistake;
};

/** The error of every reader: the place in the data (`train.jsonl:12`), what was wanted and what was found. */
export function dataError(place: string, problem: string, cause?: unknown): TinyGptvError {
  return new TinyGptvError("data", `${place}: ${problem}`, { subject: place, cause });
}

/** How many things that are wrong with one record a message names. */
const maxFaults = 5;

/** A record as its schema makes it. @throws TinyGptvError "data": it does not fit */
export function parseRecord<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  place: string,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const sentences = faultsIn(schema, value)
    .slice(0, maxFaults)
    .map((fault) => sentence(fault, "the record"));
  throw dataError(place, sentences.map((text) => shorten(text, 300)).join("; "));
}

/** Runs `read` and tells its mistake; undefined where there was one. Other errors are thrown. */
export async function reporting<T>(
  report: Report,
  read: () => T | Promise<T>,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof TinyGptvError) || error.code !== "data") throw error;
    report(error);
    return undefined;
  }
}
