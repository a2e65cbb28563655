/** A conversation as OpenAI writes it, and what is said of how it is put before the model. */
import { z } from "zod";
import { imageModes, tasks, templates } from "../request.ts";

/** `img_` and the sha256 of the picture's bytes, as `POST /v1/images` returns it. */
export const imageIdPattern = /^img_[0-9a-f]{64}$/;

/** A picture: data URL, http(s) URL or the id of an uploaded one. */
export const imageReferenceSchema = z
  .string()
  .min(1)
  .describe("A data URL (base64), an http(s) URL, or the id of an uploaded picture (img_…)");

/** The level that is asked. */
export const modelSchema = z
  .string()
  .min(1)
  .max(200)
  .describe(
    "`name:level`, or `name` for its default level, and `+adapter` for an adapter beside it; left out: the server's default model",
  );

/** Hints of where a prompt may be cached: here all of it is, by itself. */
export const cached = { prompt_cache_breakpoint: z.record(z.string(), z.unknown()).optional() };

/** How closely a picture is to be looked at. */
export const detailSchema = z
  .enum(["auto", "low", "high", "original"])
  .optional()
  .describe("Accepted for compatibility: the model has one picture size");

const textPartSchema = z.strictObject({ type: z.literal("text"), text: z.string(), ...cached });
const imagePartSchema = z.strictObject({
  type: z.literal("image_url"),
  image_url: z.strictObject({
    url: imageReferenceSchema,
    detail: detailSchema,
  }),
  ...cached,
});
/** A part of a user's message: text or a picture. */
export type ContentPart = z.infer<typeof textPartSchema> | z.infer<typeof imagePartSchema>;

const name = z
  .string()
  .max(64)
  .optional()
  .describe("Accepted for compatibility, not shown to the model");
const parts = z.array(textPartSchema).min(1).max(64);
const text = z.union([z.string(), parts]);

const none = (what: string, why: string) =>
  z.never({ error: `want no ${what}: TinyGPT-V ${why}` }).optional();

/**
 * What answers carry beside their text, of ours and of other servers: it comes
 * back with the next question, and the model is not shown it.
 */
const returnedFields = {
  annotations: z.array(z.unknown()).optional(),
  parsed: z.unknown().optional(),
  reasoning: z.unknown().optional(),
  reasoning_content: z.string().optional(),
  reasoning_details: z.array(z.unknown()).optional(),
  tool_calls: z
    .array(z.unknown())
    .max(0, { error: "want none: TinyGPT-V calls no tools" })
    .optional(),
  function_call: none("call", "calls no functions"),
  audio: none("audio", "writes text only"),
  refusal: none("refusal", "refuses nothing"),
};

/** A message of a conversation, OpenAI's shape. */
export const messageSchema = z
  .discriminatedUnion("role", [
    z.strictObject({ role: z.literal("system"), content: text, name }),
    z.strictObject({ role: z.literal("developer"), content: text, name }),
    z.strictObject({
      role: z.literal("user"),
      content: z.union([
        z.string(),
        z
          .array(z.discriminatedUnion("type", [textPartSchema, imagePartSchema]))
          .min(1)
          .max(64),
      ]),
      name,
    }),
    z.strictObject({ role: z.literal("assistant"), content: text, name, ...returnedFields }),
  ])
  .meta({ id: "Message" });
export type Message = z.infer<typeof messageSchema>;

/** How what is asked is put before the model. */
export const promptOptions = {
  task: z.enum(tasks).optional().describe("Task tag put first in the text"),
  template: z.enum(templates).optional().describe("Prompt template; default stage4"),
  image_mode: z
    .enum(imageModes)
    .optional()
    .describe(
      "How pictures are read: EXIF applied and alpha over white (display, default), or as the reference does",
    ),
};

/** What is asked: the conversation and how it is put before the model. */
export const promptFields = {
  messages: z.array(messageSchema).min(1).max(128),
  ...promptOptions,
};
export type PromptFields = z.infer<z.ZodObject<typeof promptFields>>;

/** How an answer begins. */
export const answerPrefixSchema = z
  .array(z.number().int().min(0).max(1_000_000))
  .max(4096)
  .describe("Token ids the answer must start with; they are part of the answer");
