import { shorten, TinyGptvError, type ErrorCode } from "@tinygptv/protocol";
import type { z } from "zod";

/** Far above a tokenizer's own depth of five. */
const maxDepth = 64;

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
  if (!parsed.success)
    throw new TinyGptvError(code, `${path}: ${describeIssues(parsed.error, json)}`);
  return parsed.data;
}

/** zod's words for what is wanted, and ours. */
const wordings: readonly [RegExp, string][] = [
  [/^(Invalid input|Too big|Too small|Invalid option): expected /, "want "],
  [/\bnumber to be <=/, "at most "],
  [/\bnumber to be >=/, "at least "],
  [/\bnumber to be >/, "more than "],
  [/, received .*$/, ""],
  [/^want int$/, "want a whole number"],
];

/** `hidden_act: want "gelu_new", got "gelu"`, for the first few things that are wrong. */
function describeIssues({ issues }: z.ZodError, json: unknown): string {
  return issues
    .slice(0, 5)
    .map(({ path, message }) => {
      const want = wordings.reduce((text, [from, to]) => text.replace(from, to), message);
      const found = path.reduce<unknown>(
        (value, key) => (isObject(value) ? Reflect.get(value, key) : undefined),
        json,
      );
      const isWhole = /\bgot\b|^Unrecognized/.test(want);
      const got = isWhole ? "" : `, got ${shorten(JSON.stringify(found) ?? "nothing", 60)}`;
      return `${path.length > 0 ? `${path.join(".")}: ` : ""}${shorten(want)}${got}`;
    })
    .join("; ");
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
