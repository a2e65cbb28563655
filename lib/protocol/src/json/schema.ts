/** Reading a JSON Schema: its text, the keywords that are honoured, the values they can have. */
import { TinyGptvError } from "../errors.ts";

export type Schema = Record<string, unknown>;

/** Keywords that say nothing about which values are valid. */
const annotations = new Set(
  "$schema $id $comment $anchor $defs definitions title description default examples deprecated readOnly writeOnly".split(
    " ",
  ),
);
/** Keywords honoured wherever they stand. */
const anywhere = new Set(["type", "enum", "const", "anyOf", "allOf", "$ref"]);
const numberLimits = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];
/** Keywords honoured for values of a type. */
export const ofType: Readonly<Record<string, readonly string[]>> = {
  object: ["properties", "required", "additionalProperties", "minProperties", "maxProperties"],
  array: ["items", "minItems", "maxItems"],
  string: ["minLength", "maxLength"],
  integer: numberLimits,
  number: numberLimits,
  boolean: [],
  null: [],
};
const types = Object.keys(ofType);

/** Levels of nesting a schema may have: what walks it, here and elsewhere, calls itself. */
const maxNesting = 128;

/** @throws TinyGptvError "parameter": no JSON, or nested too deeply */
export function parseSchema(text: string): unknown {
  let schema: unknown;
  try {
    schema = JSON.parse(text);
  } catch (cause) {
    throw reject("", `want JSON: ${cause instanceof Error ? cause.message : cause}`);
  }
  let nesting = 0;
  // Brackets inside strings do not count.
  for (const [sign] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[{\]}]/g)) {
    nesting += sign === "[" || sign === "{" ? 1 : sign === "]" || sign === "}" ? -1 : 0;
    if (nesting > maxNesting) throw reject("", `want at most ${maxNesting} levels`);
  }
  return schema;
}

/** The types of a schema; where it names none, that of the keywords it has. */
export function typesOf(schema: Schema, at: string): string[] {
  const { type } = schema;
  if (type === undefined)
    return types.filter((one) => ofType[one]!.some((keyword) => keyword in schema)).slice(0, 1);
  const named = Array.isArray(type) ? type : [type];
  const unknown = named.find((one) => !types.includes(one));
  if (unknown !== undefined || named.length === 0)
    throw reject(`${at}/type`, `want one of ${types.join(", ")}`, type);
  return named;
}

/** Keywords are refused where they would not be honoured; those of other types mean nothing and may stay. */
export function allowOnly(schema: Schema, honoured: readonly string[], at: string): void {
  for (const keyword of Object.keys(schema)) {
    if (annotations.has(keyword) || honoured.includes(keyword)) continue;
    const idle =
      !anywhere.has(keyword) &&
      Object.values(ofType).some((keywords) => keywords.includes(keyword));
    const typed = honoured.includes("type") && "type" in schema;
    if (idle && typed) continue;
    throw reject(`${at}/${keyword}`, "this keyword is not supported here");
  }
}

export function bounds(
  schema: Schema,
  minKeyword: string,
  maxKeyword: string,
  at: string,
): [min: number, max: number] {
  const read = (keyword: string, fallback: number) => {
    const value = schema[keyword];
    if (value === undefined) return fallback;
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
      throw reject(`${at}/${keyword}`, "want a whole number from 0", value);
    return value;
  };
  const [min, max] = [read(minKeyword, 0), read(maxKeyword, Infinity)];
  if (min > max) throw reject(`${at}/${minKeyword}`, `want at most ${maxKeyword} (${max})`, min);
  return [min, max];
}

export function list(value: unknown, at: string, min = 1): unknown[] {
  if (!Array.isArray(value) || value.length < min)
    throw reject(at, `want a list${min ? ", not empty" : ""}`, value);
  return value;
}

/** RFC 6901. */
export function lookUp(root: unknown, pointer: string): unknown {
  let target = root;
  for (const step of pointer.split("/").slice(1).map(unescape)) {
    if (typeof target !== "object" || target === null || !Object.hasOwn(target, step))
      throw reject("", "want $ref to name a place in this schema", pointer);
    target = Reflect.get(target, step);
  }
  return target;
}

export const escape = (step: string) => step.replaceAll("~", "~0").replaceAll("/", "~1");
const unescape = (step: string) => step.replaceAll("~1", "/").replaceAll("~0", "~");

export function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function hasType(value: unknown, type: string): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return isSchema(value);
    case "integer":
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

export function reject(at: string, want: string, got?: unknown): TinyGptvError {
  const shown = got === undefined ? "" : `, got ${JSON.stringify(got).slice(0, 60)}`;
  return new TinyGptvError("parameter", `jsonSchema#${at}: ${want}${shown}`, {
    subject: "jsonSchema",
  });
}
