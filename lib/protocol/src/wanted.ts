/** What a schema accepts at a place, in words; read from its JSON Schema, so that both ends of a range are known. */
import { z } from "zod";

type JsonSchema = z.core.JSONSchema.BaseSchema;

const known = new WeakMap<z.ZodType, JsonSchema>();

function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  const found =
    known.get(schema) ?? z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  known.set(schema, found);
  return found;
}

/** The schemas that hold at a place of a value; more than one where any of several may. */
export function schemasAt(
  schema: z.ZodType,
  path: readonly PropertyKey[],
  value: unknown,
): JsonSchema[] {
  const root = jsonSchemaOf(schema);
  let here = branches([root], root, value);
  let inner = value;
  for (const key of path) {
    inner = typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined;
    here = schemasBelow(here, key, inner, root);
  }
  return here;
}

/** So many more than a schema allows cost it nothing to look at, and it may say in its own words why not. */
const fewTooMany = 256;

/**
 * Where a list, or an object of any names, has far more entries than its schema
 * allows. It is told from their numbers alone: no entry of it is looked at.
 */
export function overfullAt(schema: z.ZodType, value: unknown): PropertyKey[] | undefined {
  const root = jsonSchemaOf(schema);
  const find = (here: readonly JsonSchema[], inner: unknown): PropertyKey[] | undefined => {
    if (here.length === 0 || typeof inner !== "object" || inner === null) return undefined;
    const isList = Array.isArray(inner);
    const keys = isList ? inner.keys() : Object.keys(inner);
    const count = isList ? inner.length : Object.keys(inner).length;
    const fitting = here.filter(({ type }) => type === (isList ? "array" : "object"));
    const most = fitting.map(({ maxItems, maxProperties }) => (isList ? maxItems : maxProperties));
    if (fitting.length > 0 && most.every((bound = Infinity) => count > bound + fewTooMany))
      return [];
    for (const key of keys) {
      const entry: unknown = Reflect.get(inner, key);
      if (typeof entry !== "object" || entry === null) continue;
      const found = find(schemasBelow(fitting, key, entry, root), entry);
      if (found) return [key, ...found];
    }
    return undefined;
  };
  return find(branches([root], root, value), value);
}

function schemasBelow(
  schemas: readonly JsonSchema[],
  key: PropertyKey,
  value: unknown,
  root: JsonSchema,
): JsonSchema[] {
  return branches(
    schemas.flatMap((one) => below(one, key)),
    root,
    value,
  );
}

function below(schema: JsonSchema, key: PropertyKey): JsonSchema[] {
  const { properties, items, prefixItems, additionalProperties } = schema;
  const inner =
    typeof key === "number"
      ? (prefixItems?.[key] ?? (Array.isArray(items) ? items[key] : items))
      : (properties?.[String(key)] ?? additionalProperties);
  return typeof inner === "object" ? [inner] : [];
}

/** References followed and unions opened; of branches told apart by a constant, those the value names. */
function branches(schemas: readonly JsonSchema[], root: JsonSchema, value: unknown): JsonSchema[] {
  return schemas.flatMap((schema) => {
    if (schema.$ref !== undefined) {
      const target = root.$defs?.[schema.$ref.split("/").at(-1)!];
      return target === undefined ? [] : branches([target], root, value);
    }
    const options = schema.anyOf ?? schema.oneOf;
    if (options === undefined) return [schema];
    const opened = branches(
      options.filter((option) => typeof option === "object"),
      root,
      value,
    );
    const named = opened.filter((option) => isNamedBy(option, value));
    return named.length > 0 ? named : opened;
  });
}

function isNamedBy({ properties }: JsonSchema, value: unknown): boolean {
  if (typeof value !== "object" || value === null || properties === undefined) return false;
  const constants = Object.entries(properties).flatMap(([name, property]) =>
    typeof property === "object" && property.const !== undefined
      ? [[name, property.const] as const]
      : [],
  );
  return constants.length > 0 && constants.every(([name, one]) => Reflect.get(value, name) === one);
}

/** `a whole number from 1 to 16`, `true or false or "never"`, … */
export function describeWanted(schemas: readonly JsonSchema[]): string {
  const words = [...new Set(schemas.map(describe))];
  return words.length === 0 ? "another name" : words.join(" or ");
}

function describe(schema: JsonSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return `one of ${schema.enum.join(", ")}`;
  switch (schema.type) {
    case "integer":
      return `a whole number${range("from", schema.minimum, schema.maximum)}`;
    case "number":
      return `a number${range("from", schema.minimum, schema.maximum)}`;
    case "string":
      return `a text${range("of", schema.minLength, schema.maxLength, " characters")}`;
    case "array":
      return `a list${range("of", schema.minItems, schema.maxItems, " items")}`;
    case "boolean":
      return "true or false";
    case "null":
      return "null";
    default:
      return `an object${range("of", schema.minProperties, schema.maxProperties, " entries")}`;
  }
}

function range(word: string, min: number | undefined, max: number | undefined, unit = ""): string {
  if (max !== undefined && max !== Number.MAX_SAFE_INTEGER)
    return ` ${word} ${min ?? 0} to ${max}${unit}`;
  if (min === undefined || min === Number.MIN_SAFE_INTEGER) return "";
  return word === "from" ? ` from ${min}` : ` ${word} at least ${min}${unit}`;
}
