import { faultsOf, sentence, shorten, TinyGptvError, type ErrorCode } from "@tinygptv/protocol";
import type { z } from "zod";

/** Far above a tokenizer's own depth of five. */
const maxDepth = 64;
/** How many things that are wrong a message names. */
const maxFaults = 5;

/**
 * The text of a JSON file held against a schema. Deep nesting is an error of its
 * own: what walks through values later would run out of stack.
 * @param path where the text came from, for messages
 */
export function parseJsonFile<T>(
  text: string,
  path: string,
  schema: z.ZodType<T>,
  code: ErrorCode,
): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new TinyGptvError(code, `${path}: want JSON, got text that does not parse`, { cause });
  }
  if (isDeep(json))
    throw new TinyGptvError(code, `${path}: want at most ${maxDepth} levels of nesting, got more`);
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const faults = faultsOf(parsed.error, schema, json).slice(0, maxFaults);
  const sentences = faults.map((fault) => shorten(sentence(fault, "the file"), 300));
  throw new TinyGptvError(code, `${path}: ${sentences.join("; ")}`);
}

function isDeep(json: unknown): boolean {
  let level: object[] = isObject(json) ? [json] : [];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth >= maxDepth) return true;
    level = level.flatMap((value) => Object.values(value).filter(isObject));
  }
  return false;
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
