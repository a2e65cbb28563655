/** What the model computes besides answers: scores, tokens, pictures as it sees them. */
import { z } from "zod";
import { maxTextLength } from "../request.ts";
import { imageUsageSchema, tokenLogprobSchema } from "./answers.ts";
import { imageReferenceSchema, modelSchema, promptFields } from "./messages.ts";

/** `POST /v1/score` */
export const scoreHttpRequestSchema = z
  .strictObject({
    model: modelSchema.optional(),
    ...promptFields,
    candidates: z.array(z.string().max(65_536)).min(1).max(256),
    end_symbol: z
      .string()
      .max(64)
      .optional()
      .describe("Put after every candidate; the reference's choice uses a newline"),
    top_logprobs: z
      .number()
      .int()
      .min(0)
      .max(20)
      .optional()
      .describe("Alternatives at every token"),
  })
  .meta({ id: "ScoreRequest" });
export type ScoreHttpRequest = z.infer<typeof scoreHttpRequestSchema>;

/** Given answers, scored and ranked; log-probabilities in nats. */
export const scoreHttpResponseSchema = z
  .object({
    object: z.literal("score"),
    model: z.string(),
    candidates: z.array(
      z.object({
        text: z.string(),
        tokens: z.array(tokenLogprobSchema),
        mean_logprob: z.number().describe("Mean over its tokens, end symbol included"),
        sum_logprob: z.number(),
      }),
    ),
    ranks: z
      .array(z.number().int())
      .describe("Candidate indices, most probable (largest mean) first"),
    usage: z.object({ images: z.array(imageUsageSchema) }),
  })
  .meta({ id: "ScoreResponse" });
export type ScoreHttpResponse = z.infer<typeof scoreHttpResponseSchema>;

/** `POST /v1/tokenize` */
export const tokenizeRequestSchema = z
  .strictObject({ model: modelSchema.optional(), text: z.string().max(maxTextLength) })
  .meta({ id: "TokenizeRequest" });
/** Tokens of a text, in order. */
export const tokenizeResponseSchema = z
  .object({
    object: z.literal("tokens"),
    model: z.string(),
    tokens: z.array(z.object({ id: z.number().int(), text: z.string() })),
  })
  .meta({ id: "TokenizeResponse" });
export type TokenizeResponse = z.infer<typeof tokenizeResponseSchema>;

/** `POST /v1/detokenize` */
export const detokenizeRequestSchema = z
  .strictObject({
    model: modelSchema.optional(),
    ids: z.array(z.number().int().min(0).max(1_000_000)).max(100_000),
  })
  .meta({ id: "DetokenizeRequest" });
/** The text that token ids stand for. */
export const detokenizeResponseSchema = z
  .object({ object: z.literal("text"), model: z.string(), text: z.string() })
  .meta({ id: "DetokenizeResponse" });
export type DetokenizeResponse = z.infer<typeof detokenizeResponseSchema>;

/** `POST /v1/preprocess` */
export const preprocessRequestSchema = z
  .strictObject({
    model: modelSchema.optional(),
    image: imageReferenceSchema,
    image_mode: promptFields.image_mode,
  })
  .meta({ id: "PreprocessRequest" });
/** What the model sees of a picture. */
export const preprocessResponseSchema = z
  .object({
    object: z.literal("preprocessed_image"),
    model: z.string(),
    id: z.string().describe("img_ and the sha256 of the picture's bytes"),
    width: z.number().int().describe("Of the original, after EXIF rotation where it is applied"),
    height: z.number().int(),
    size: z.number().int().describe("Side of the square the model sees"),
    tensor_sha256: z.string().describe("Of the float32 little-endian tensor [3,size,size]"),
    preview: z.string().describe("The resized picture as a PNG data URL"),
  })
  .meta({ id: "PreprocessResponse" });
export type PreprocessResponse = z.infer<typeof preprocessResponseSchema>;
