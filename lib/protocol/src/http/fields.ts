/** Fields that several requests and responses share. */
import { z } from "zod";
import { tasks, templates } from "../protocol.ts";

const integer = (min: number, max: number) => z.number().int().min(min).max(max);

/** `img_` and the sha256 of the picture's bytes, as `POST /v1/images` returns it. */
export const imageIdPattern = /^img_[0-9a-f]{64}$/;

/** A picture: data URL, http(s) URL or the id of an uploaded one. */
export const imageReferenceSchema = z
  .string()
  .min(1)
  .describe("A data URL (base64), an http(s) URL, or the id of an uploaded picture (img_…)");

export const modelSchema = z
  .string()
  .min(1)
  .max(200)
  .describe("`name:level`, or `name` for its default level; left out: the server's default model");

const textPartSchema = z.strictObject({ type: z.literal("text"), text: z.string() });
const imagePartSchema = z.strictObject({
  type: z.literal("image_url"),
  image_url: z.strictObject({
    url: imageReferenceSchema,
    detail: z
      .enum(["auto", "low", "high"])
      .optional()
      .describe("Accepted for compatibility: the model has one picture size"),
  }),
});
export type ContentPart = z.infer<typeof textPartSchema> | z.infer<typeof imagePartSchema>;

const name = z
  .string()
  .max(64)
  .optional()
  .describe("Accepted for compatibility, not shown to the model");
const text = z.union([z.string(), z.array(textPartSchema).min(1).max(64)]);

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
    z.strictObject({
      role: z.literal("assistant"),
      content: text,
      name,
      refusal: z.null().optional(),
    }),
  ])
  .meta({ id: "Message" });
export type Message = z.infer<typeof messageSchema>;

/** What is asked: the conversation and how it is put before the model. */
export const promptFields = {
  messages: z.array(messageSchema).min(1).max(128),
  task: z.enum(tasks).optional().describe("Task tag put first in the text"),
  template: z.enum(templates).optional().describe("Prompt template; default stage4"),
  image_mode: z
    .enum(["display", "reference"])
    .optional()
    .describe(
      "How pictures are read: EXIF applied and alpha over white (display, default), or as the reference does",
    ),
};

/** How the answer is decoded. OpenAI's parameters first, then ours. */
export const decodingFields = {
  max_tokens: integer(1, 4096)
    .optional()
    .describe("Longest answer in tokens; same as max_completion_tokens"),
  max_completion_tokens: integer(1, 4096).optional(),
  temperature: z
    .number()
    .min(0)
    .max(2)
    .optional()
    .describe("0 or left out (and no other sampling parameter given): greedy"),
  top_p: z.number().min(0.001).max(1).optional(),
  seed: integer(0, Number.MAX_SAFE_INTEGER)
    .optional()
    .describe("Same seed, same answer; of n answers, answer i uses seed + i"),
  stop: z
    .union([z.string().min(1).max(256), z.array(z.string().min(1).max(256)).max(8)])
    .optional()
    .describe("Texts before which the answer ends, besides ### which always ends it"),
  presence_penalty: z.number().min(-2).max(2).optional(),
  frequency_penalty: z.number().min(-2).max(2).optional(),
  logit_bias: z
    .record(z.string().regex(/^\d{1,7}$/), z.number().min(-100).max(100))
    .optional()
    .describe("Token id -> number added to its logit"),
  logprobs: z.boolean().optional(),
  top_logprobs: integer(0, 20).optional().describe("Alternatives per token; needs logprobs"),
  top_k: integer(0, 100_000).optional().describe("Sample among the k most probable tokens; 0: all"),
  min_p: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("Drop tokens less probable than min_p times the best"),
  min_tokens: integer(0, 4096).optional().describe("No end before so many tokens"),
  repetition_penalty: z.number().min(0.01).max(10).optional(),
  no_repeat_ngram_size: integer(0, 64).optional(),
  bad_words: z.array(z.string().min(1).max(256)).max(256).optional(),
  num_beams: integer(1, 16).optional().describe("More than 1: beam search"),
  length_penalty: z
    .number()
    .min(-10)
    .max(10)
    .optional()
    .describe("Beam search: score = sum / length^penalty"),
  early_stopping: z
    .union([z.boolean(), z.literal("never")])
    .optional()
    .describe("Beam search: when to stop"),
};
export const decodingParametersSchema = z
  .strictObject(decodingFields)
  .meta({ id: "DecodingParameters" });
export type DecodingParameters = z.infer<typeof decodingParametersSchema>;

export const answerPrefixSchema = z
  .array(integer(0, 1_000_000))
  .max(4096)
  .describe("Token ids the answer must start with; they are part of the answer");

const alternativeSchema = z.object({
  token: z.string(),
  id: z.number().int().describe("Token id, for answer_prefix and logit_bias"),
  logprob: z.number(),
  bytes: z
    .array(z.number().int())
    .nullable()
    .describe("UTF-8 bytes; null where the token is part of a character"),
});
/** One token of an answer; OpenAI's shape and the token's id. */
export const tokenLogprobSchema = alternativeSchema
  .extend({ top_logprobs: z.array(alternativeSchema) })
  .meta({ id: "TokenLogprob" });
export type TokenLogprob = z.infer<typeof tokenLogprobSchema>;

/** OpenAI's shape; there are no refusals here. */
export const logprobsSchema = z
  .object({ content: z.array(tokenLogprobSchema), refusal: z.null() })
  .nullable();

const corners = z.tuple([z.number(), z.number(), z.number(), z.number()]);
export const boxSchema = z
  .object({
    phrase: z.string().describe("The phrase the box belongs to, empty where the answer names none"),
    percent: corners.describe(
      "x1, y1, x2, y2 as the model wrote them: 0 to 100 of width and height",
    ),
    pixels: corners.describe("x1, y1, x2, y2 in pixels of the original picture"),
    image: z.number().int().describe("Index of the picture among those of the request"),
  })
  .meta({ id: "Box" });

export const imageUsageSchema = z
  .object({
    id: z.string().describe("img_ and the sha256 of the picture's bytes"),
    width: z.number().int(),
    height: z.number().int(),
    cached: z.boolean().describe("The vision encoder was skipped: its features were at hand"),
  })
  .meta({ id: "ImageUsage" });
export type ImageUsage = z.infer<typeof imageUsageSchema>;

export const usageSchema = z
  .object({
    prompt_tokens: z.number().int(),
    completion_tokens: z.number().int(),
    total_tokens: z.number().int(),
    prompt_tokens_details: z.object({
      cached_tokens: z.number().int().describe("Prompt positions taken from the prefix cache"),
      image_tokens: z.number().int().describe("Prompt positions taken by pictures"),
    }),
    images: z.array(imageUsageSchema),
  })
  .meta({ id: "Usage" });
export type ApiUsage = z.infer<typeof usageSchema>;

export const timingsSchema = z
  .object({
    queue: z.number(),
    image: z.number(),
    prefill: z.number(),
    decode: z.number(),
    total: z.number(),
  })
  .describe("Milliseconds")
  .meta({ id: "Timings" });

/** A finished beam. */
export const hypothesisSchema = z
  .object({
    text: z.string(),
    score: z.number().describe("Sum of log-probabilities / length^length_penalty"),
    finish_reason: z.enum(["stop", "length"]),
    logprobs: logprobsSchema,
  })
  .meta({ id: "Hypothesis" });

/** A beam while the search runs. */
export const beamSchema = z.object({ text: z.string(), score: z.number() }).meta({ id: "Beam" });
