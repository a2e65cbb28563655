/** What form an answer has; JSON under a schema is asked for in two dialects. */
import { z } from "zod";
import { TinyGptvError } from "../errors.ts";
import { parseSchema } from "../json/schema.ts";

const jsonSchema = z.record(z.string(), z.unknown());

export const responseFormatSchema = z
  .discriminatedUnion("type", [
    z.strictObject({ type: z.literal("text") }),
    z.strictObject({
      type: z.literal("json_object"),
      schema: jsonSchema.optional().describe("As other servers take it: the same as json_schema"),
    }),
    z.strictObject({
      type: z.literal("json_schema"),
      json_schema: z.strictObject({
        name: z.string().min(1).max(64),
        description: z.string().max(4096).optional(),
        schema: jsonSchema.optional(),
        strict: z.boolean().optional().describe("An answer is always valid under its schema"),
      }),
    }),
  ])
  .meta({ id: "ResponseFormat" });
export type ResponseFormat = z.infer<typeof responseFormatSchema>;

/** As the engine has it. */
const maxSchemaLength = 65_536;

/**
 * The schema an answer must be valid under, as JSON text; undefined for plain text.
 * @throws TinyGptvError "parameter"
 */
export function fromResponseFormat(format: ResponseFormat): string | undefined {
  if (format.type === "text") return undefined;
  const [schema, at] =
    format.type === "json_object"
      ? [format.schema, "schema"]
      : [format.json_schema.schema, "json_schema.schema"];
  const subject = `response_format.${at}`;
  let text: string;
  try {
    text = JSON.stringify(schema ?? { type: "object" });
  } catch (cause) {
    // A stack overflow: nested deeper than any schema is.
    throw new TinyGptvError("parameter", `${subject}: nested too deeply`, { subject, cause });
  }
  if (text.length <= maxSchemaLength) return text;
  throw new TinyGptvError(
    "parameter",
    `${subject}: want at most ${maxSchemaLength} characters, got ${text.length}`,
    { subject },
  );
}

/** @throws TinyGptvError "parameter" where the text is no JSON */
export function toResponseFormat(text: string): ResponseFormat {
  const schema = parseSchema(text);
  // `true` stands for any value, and so does the empty schema; the field wants an object.
  const asObject = schema === true ? {} : (schema as Record<string, unknown>);
  return { type: "json_schema", json_schema: { name: "answer", schema: asObject } };
}
