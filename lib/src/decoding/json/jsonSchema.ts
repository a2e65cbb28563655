/**
 * A JSON Schema (draft 2020-12) as a grammar of texts that are valid under it.
 *
 * Every text of the grammar is valid; not every valid text is in it: members
 * come in the order of `properties`, none but those are written, and numbers
 * have bounded digits. A keyword that cannot be honoured is refused by name.
 */
import { TinyGptvError } from "../../errors.ts";
import { createGrammarBuilder } from "./grammar.ts";
import type { Grammar, GrammarBuilder } from "./grammar.ts";
import { integerRange } from "./integerRange.ts";
import { jsonText } from "./jsonText.ts";

type Schema = Record<string, unknown>;

/** Keywords that say nothing about which values are valid. */
const annotations = new Set(
  "$schema $id $comment $anchor $defs definitions title description default examples deprecated readOnly writeOnly".split(
    " ",
  ),
);
/** Keywords honoured wherever they stand. */
const anywhere = new Set(["type", "enum", "const", "anyOf", "allOf", "$ref"]);
/** Keywords honoured for values of a type. */
const ofType: Readonly<Record<string, readonly string[]>> = {
  object: ["properties", "required", "additionalProperties", "minProperties", "maxProperties"],
  array: ["items", "minItems", "maxItems"],
  string: ["minLength", "maxLength"],
  integer: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"],
  number: [],
  boolean: [],
  null: [],
};
const types = Object.keys(ofType);

/** Levels of nesting a schema may have: what walks it, here and elsewhere, calls itself. */
const maxNesting = 128;

/**
 * Compiles a schema, given as JSON text. `true` and `{}` stand for any value.
 * @throws TinyGptvError "parameter", subject "jsonSchema", naming the place: a keyword that is not
 *   supported, a value it cannot have, a schema that nothing fits or that is nested too deeply.
 */
export function compileJsonSchema(
  text: string,
  g: GrammarBuilder = createGrammarBuilder(),
): Grammar {
  const root = parse(text);
  const json = jsonText(g);
  const references = new Map<string, { node: Grammar; target?: Grammar }>();
  const waiting: string[] = [];

  function compile(schema: unknown, at: string): Grammar {
    if (schema === true) return json.any;
    if (!isSchema(schema)) throw reject(at, "want a schema", schema);
    const inner = (keyword: string, value: unknown) => compile(value, `${at}/${keyword}`);

    if ("$ref" in schema) {
      allowOnly(schema, ["$ref"], at);
      return reference(schema["$ref"], at);
    }
    if ("const" in schema) {
      allowOnly(schema, ["const", "type"], at);
      return literals([schema["const"]], schema, at);
    }
    if ("enum" in schema) {
      allowOnly(schema, ["enum", "type"], at);
      return literals(list(schema["enum"], `${at}/enum`), schema, at);
    }
    if ("anyOf" in schema) {
      allowOnly(schema, ["anyOf"], at);
      const options = list(schema["anyOf"], `${at}/anyOf`);
      return g.choice(...options.map((option, i) => inner(`anyOf/${i}`, option)));
    }
    if ("allOf" in schema) {
      allowOnly(schema, ["allOf"], at);
      const parts = list(schema["allOf"], `${at}/allOf`);
      if (parts.length > 1) throw reject(`${at}/allOf`, "want one schema", parts);
      return inner("allOf/0", parts[0]);
    }
    const wanted = typesOf(schema, at);
    allowOnly(schema, ["type", ...wanted.flatMap((type) => ofType[type]!)], at);
    const byType: Record<string, () => Grammar> = {
      object: () => object(schema, at, inner),
      array: () => {
        const [min, max] = bounds(schema, "minItems", "maxItems", at);
        return json.array("items" in schema ? inner("items", schema["items"]) : json.any, min, max);
      },
      string: () => json.string(...bounds(schema, "minLength", "maxLength", at)),
      integer: () => integer(schema, at),
      number: () => json.number,
      boolean: () => g.choice(g.text("true"), g.text("false")),
      null: () => g.text("null"),
    };
    return wanted.length === 0 ? json.any : g.choice(...wanted.map((type) => byType[type]!()));
  }

  /** A schema elsewhere in the document, perhaps one we are inside of: compiled later. */
  function reference(pointer: unknown, at: string): Grammar {
    if (typeof pointer !== "string" || !/^#(\/|$)/.test(pointer))
      throw reject(`${at}/$ref`, "want a place in this schema: #/…", pointer);
    const known = references.get(pointer);
    if (known) return known.node;
    const node = g.reference(() => references.get(pointer)!.target!);
    references.set(pointer, { node });
    waiting.push(pointer);
    return node;
  }

  /** Of the values given, those that have the schema's type. */
  function literals(values: readonly unknown[], schema: Schema, at: string): Grammar {
    const wanted = typesOf(schema, at);
    const fitting = values.filter(
      (value) => wanted.length === 0 || wanted.some((type) => hasType(value, type)),
    );
    if (fitting.length === 0) throw reject(at, `want a value of type ${wanted.join(" or ")}`);
    return g.choice(...fitting.map((value) => json.literal(value)));
  }

  function object(
    schema: Schema,
    at: string,
    inner: (keyword: string, value: unknown) => Grammar,
  ): Grammar {
    const properties = schema["properties"] ?? {};
    if (!isSchema(properties))
      throw reject(`${at}/properties`, "want an object of schemas", properties);
    const required = new Set(
      "required" in schema ? list(schema["required"], `${at}/required`, 0) : [],
    );
    const names = Object.keys(properties);
    const unlisted = [...required].find((name) => !names.includes(String(name)));
    if (unlisted !== undefined)
      throw reject(`${at}/required`, "want names of properties", unlisted);
    const [min, max] = bounds(schema, "minProperties", "maxProperties", at);
    if (names.length === 0) {
      const more = schema["additionalProperties"] ?? true;
      if (more === false && min > 0)
        throw reject(`${at}/minProperties`, "want 0 without properties", min);
      if (more === false) return g.text("{}");
      return json.map(more === true ? json.any : inner("additionalProperties", more), min, max);
    }
    for (const keyword of ["minProperties", "maxProperties"])
      if (keyword in schema)
        throw reject(`${at}/${keyword}`, "want it without properties", schema[keyword]);

    const members = names.map((name) => ({
      isRequired: required.has(name),
      member: g.sequence(
        g.text(JSON.stringify(name)),
        json.colon,
        inner(`properties/${escape(name)}`, properties[name]),
      ),
    }));
    // From the last member to the first: what may follow when one was written before, and when none was.
    let [later, first] = [g.empty, g.empty];
    for (const { isRequired, member } of members.toReversed()) {
      const [takeLater, takeFirst] = [
        g.sequence(json.comma, member, later),
        g.sequence(member, later),
      ];
      [later, first] = isRequired
        ? [takeLater, takeFirst]
        : [g.choice(takeLater, later), g.choice(takeFirst, first)];
    }
    return g.sequence(g.text("{"), first, g.text("}"));
  }

  function integer(schema: Schema, at: string): Grammar {
    const limit = (keyword: string, fallback: number) => {
      const value = schema[keyword] ?? fallback;
      if (typeof value !== "number" || Math.abs(value) > Number.MAX_SAFE_INTEGER)
        throw reject(`${at}/${keyword}`, "want a safe integer", value);
      return value;
    };
    if (!ofType["integer"]!.some((keyword) => keyword in schema)) return json.integer;
    const end = 999_999_999_999_999;
    const min = Math.max(
      Math.ceil(limit("minimum", -end)),
      Math.floor(limit("exclusiveMinimum", -end - 1)) + 1,
    );
    const max = Math.min(
      Math.floor(limit("maximum", end)),
      Math.ceil(limit("exclusiveMaximum", end + 1)) - 1,
    );
    if (min > max) throw reject(at, `want minimum at most maximum, got ${min} and ${max}`);
    return integerRange(g, min, max);
  }

  const grammar = compile(root, "");
  for (let pointer = waiting.shift(); pointer !== undefined; pointer = waiting.shift())
    references.get(pointer)!.target = compile(lookUp(root, pointer), pointer.slice(1));
  return grammar;
}

function parse(text: string): unknown {
  let nesting = 0;
  // Brackets inside strings do not count.
  for (const [sign] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[{\]}]/g)) {
    nesting += sign === "[" || sign === "{" ? 1 : sign === "]" || sign === "}" ? -1 : 0;
    if (nesting > maxNesting) throw reject("", `want at most ${maxNesting} levels`);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw reject("", `want JSON: ${cause instanceof Error ? cause.message : cause}`);
  }
}

/** The types of a schema; where it names none, that of the keywords it has. */
function typesOf(schema: Schema, at: string): string[] {
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
function allowOnly(schema: Schema, honoured: readonly string[], at: string): void {
  for (const keyword of Object.keys(schema)) {
    if (annotations.has(keyword) || honoured.includes(keyword)) continue;
    const idle =
      !anywhere.has(keyword) &&
      Object.values(ofType).some((keywords) => keywords.includes(keyword));
    const typed = honoured.includes("type") && "type" in schema;
    if (idle && typed && !isNumberLimit(keyword, schema)) continue;
    throw reject(`${at}/${keyword}`, "this keyword is not supported here");
  }
}

/** Limits are honoured for integers only; a number with one is not just without them. */
function isNumberLimit(keyword: string, { type }: Schema): boolean {
  return ofType["integer"]!.includes(keyword) && [type].flat().includes("number");
}

function bounds(
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

function list(value: unknown, at: string, min = 1): unknown[] {
  if (!Array.isArray(value) || value.length < min)
    throw reject(at, `want a list${min ? ", not empty" : ""}`, value);
  return value;
}

/** RFC 6901. */
function lookUp(root: unknown, pointer: string): unknown {
  let target = root;
  for (const step of pointer.split("/").slice(1).map(unescape)) {
    if (typeof target !== "object" || target === null || !Object.hasOwn(target, step))
      throw reject("", "want $ref to name a place in this schema", pointer);
    target = Reflect.get(target, step);
  }
  return target;
}

const escape = (step: string) => step.replaceAll("~", "~0").replaceAll("/", "~1");
const unescape = (step: string) => step.replaceAll("~1", "/").replaceAll("~0", "~");

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function hasType(value: unknown, type: string): boolean {
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

function reject(at: string, want: string, got?: unknown): TinyGptvError {
  const shown = got === undefined ? "" : `, got ${JSON.stringify(got).slice(0, 60)}`;
  return new TinyGptvError("parameter", `jsonSchema#${at}: ${want}${shown}`, {
    subject: "jsonSchema",
  });
}
