/**
 * A JSON Schema (draft 2020-12) as a grammar of texts that are valid under it.
 *
 * Every text of the grammar is valid; not every valid text is in it: members
 * come in the order of `properties`, none but those are written, and numbers
 * have bounded digits. A keyword that cannot be honoured is refused by name.
 */
import { createGrammarBuilder } from "./grammar.ts";
import type { Grammar, GrammarBuilder } from "./grammar.ts";
import { integerRange } from "./integerRange.ts";
import { jsonText } from "./jsonText.ts";
import { numberRange } from "./numberRange.ts";
import {
  allowOnly,
  bounds,
  escape,
  hasType,
  isSchema,
  list,
  lookUp,
  ofType,
  parseSchema,
  reject,
  typesOf,
} from "./schema.ts";
import type { Schema } from "./schema.ts";

/**
 * Compiles a schema, given as JSON text. `true` and `{}` stand for any value.
 * @throws TinyGptvError "parameter", subject "jsonSchema", naming the place: a keyword that is not
 *   supported, a value it cannot have, a schema that nothing fits or that is nested too deeply.
 */
export function compileJsonSchema(
  text: string,
  g: GrammarBuilder = createGrammarBuilder(),
): Grammar {
  const root = parseSchema(text);
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
      number: () => number(schema, at),
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

  function number(schema: Schema, at: string): Grammar {
    if (!ofType["number"]!.some((keyword) => keyword in schema)) return json.number;
    const limit = (keyword: string, fallback: number) => {
      const value = schema[keyword] ?? fallback;
      if (typeof value !== "number") throw reject(`${at}/${keyword}`, "want a number", value);
      return value;
    };
    const [min, max] = [limit("minimum", -Infinity), limit("maximum", Infinity)];
    const [over, under] = [
      limit("exclusiveMinimum", -Infinity),
      limit("exclusiveMaximum", Infinity),
    ];
    const limits = {
      min: Math.max(min, over),
      max: Math.min(max, under),
      isMinExcluded: over >= min && "exclusiveMinimum" in schema,
      isMaxExcluded: under <= max && "exclusiveMaximum" in schema,
    };
    const grammar = numberRange(g, limits);
    if (grammar) return grammar;
    throw reject(at, `want numbers between ${limits.min} and ${limits.max}, there are none`);
  }

  const grammar = compile(root, "");
  for (let pointer = waiting.shift(); pointer !== undefined; pointer = waiting.shift())
    references.get(pointer)!.target = compile(lookUp(root, pointer), pointer.slice(1));
  return grammar;
}
