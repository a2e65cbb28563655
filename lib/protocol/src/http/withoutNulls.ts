/** No field of a request lies deeper. */
const maxDepth = 16;

/**
 * A request as it is meant: `null` is an absent field, at any depth. Only
 * inside a JSON Schema it is a value like others (`enum: ["a", null]`).
 */
export function withoutNulls(value: unknown, depth = 0): unknown {
  if (typeof value !== "object" || value === null || depth > maxDepth) return value;
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => {
      if (inner === null) return [];
      return [[key, key === "schema" ? inner : withoutNulls(inner, depth + 1)]];
    }),
  );
}
