/** Parts of answers that several responses share. */
import { z } from "zod";
import { boxSchema, finishReasons, timingsSchema } from "../events.ts";

const alternativeSchema = z.object({
  token: z.string(),
  id: z.number().int().describe("Token id, for answer_prefix and logit_bias"),
  logprob: z.number(),
  bytes: z
    .array(z.number().int())
    .nullable()
    .describe("UTF-8 bytes; joined, those of all tokens are the content's"),
});
/** One token of an answer; OpenAI's shape and the token's id. */
export const tokenLogprobSchema = alternativeSchema
  .extend({
    top_logprobs: z.array(alternativeSchema),
    whole: alternativeSchema
      .pick({ token: true, bytes: true })
      .optional()
      .describe("Of a token within which a stop text begins: what it stands for uncut"),
  })
  .meta({ id: "TokenLogprob" });
export type TokenLogprob = z.infer<typeof tokenLogprobSchema>;

/** OpenAI's shape; there are no refusals here. */
export const logprobsSchema = z
  .object({
    content: z.array(tokenLogprobSchema).describe("The tokens of the content"),
    refusal: z.null(),
    end: z
      .array(tokenLogprobSchema)
      .optional()
      .describe("The tokens after the content that ended the answer: an end mark, a stop text"),
  })
  .nullable();
export type Logprobs = NonNullable<z.infer<typeof logprobsSchema>>;

/** A picture of a request, by the id it would have when uploaded. */
export const imageUsageSchema = z
  .object({
    id: z.string().describe("img_ and the sha256 of the picture's bytes"),
    width: z.number().int(),
    height: z.number().int(),
    cached: z.boolean().describe("The vision encoder was skipped: its features were at hand"),
  })
  .meta({ id: "ImageUsage" });
export type ImageUsage = z.infer<typeof imageUsageSchema>;

/** OpenAI's counts of tokens, and what pictures took. */
export const apiUsageSchema = z
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
export type ApiUsage = z.infer<typeof apiUsageSchema>;

/** Why an answer ended. */
export const finishReasonSchema = z.enum(finishReasons);

/** A finished beam. */
export const finishedBeamSchema = z
  .object({
    text: z.string(),
    score: z.number().describe("Sum of log-probabilities / length^length_penalty"),
    finish_reason: finishReasonSchema,
    logprobs: logprobsSchema,
    boxes: z.array(boxSchema),
  })
  .meta({ id: "Hypothesis" });
export type FinishedBeam = z.infer<typeof finishedBeamSchema>;

/** What a finished choice says beyond OpenAI's fields. */
export const choiceExtensions = {
  boxes: z.array(boxSchema).describe("Rectangles found in the answer"),
  timings: timingsSchema,
  score: z.number().optional().describe("Beam search only"),
  seed: z
    .number()
    .optional()
    .describe("Sampling only: the seed it ran with, drawn where none was given"),
};
