import { z } from "zod";

/** An object of any names, at most so many; its bound is in its JSON Schema, too. */
export function recordOf<Value extends z.ZodType>(
  key: z.ZodString,
  value: Value,
  most: number,
): z.ZodRecord<z.ZodString, Value> {
  return z
    .record(key, value)
    .refine((entries) => Object.keys(entries).length <= most, {
      error: `want an object of at most ${most} entries`,
    })
    .meta({ maxProperties: most });
}
