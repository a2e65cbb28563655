import { z } from "zod";

import { TinyGptvError } from "./errors.ts";
import type { ErrorCode } from "./errors.ts";

type JsonSchema = z.core.JSONSchema.BaseSchema;

/**
 * A value checked against a schema. The error names the first thing that is
 * wrong, what is wanted there and what was given: `topP: want a number from
 * 0.001 to 1, got 7`; its subject is the outermost name on the way (`topP`).
 */
export function parse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  code: ErrorCode,
): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  // An unknown name is the fault of the name, not of the object that holds it.
  const path = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0]!] : issue.path;
  const at = describePath(path);
  const root = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  const want =
    issue.code === "unrecognized_keys"
      ? `one of ${Object.keys(schemaAt(root, issue.path)?.properties ?? {}).join(", ")}`
      : describeSchema(schemaAt(root, path));
  throw new TinyGptvError(code, `${at}: want ${want}, got ${describeValue(valueAt(value, path))}`, {
    subject: String(path[0] ?? "request"),
  });
}

/** `["rounds", 0, "prompt"]` -> `rounds[0].prompt` */
function describePath(path: readonly PropertyKey[]): string {
  if (path.length === 0) return "request";
  return path
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
    .join("")
    .replace(/^\./, "");
}

function schemaAt(schema: JsonSchema | undefined, path: readonly PropertyKey[]) {
  let inner = schema;
  for (const key of path) {
    const next =
      inner?.properties?.[String(key)] ??
      (typeof key === "number" ? inner?.items : inner?.additionalProperties);
    inner = typeof next === "object" && !Array.isArray(next) ? next : undefined;
  }
  return inner;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined,
    value,
  );
}

/** What a schema accepts, in words. */
function describeSchema(schema: JsonSchema | undefined): string {
  if (!schema) return "another name";
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return `one of ${schema.enum.join(", ")}`;
  if (schema.anyOf) return schema.anyOf.map(describeInner).join(" or ");
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
    default:
      return "an object";
  }
}

function describeInner(schema: z.core.JSONSchema._JSONSchema): string {
  return describeSchema(typeof schema === "object" ? schema : undefined);
}

function range(word: string, min = 0, max?: number, unit = ""): string {
  return max === undefined ? "" : ` ${word} ${min} to ${max}${unit}`;
}

function describeValue(value: unknown): string {
  if (Array.isArray(value)) return `${value.length} items`;
  if (typeof value === "number" || value === undefined) return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
