/** `POST /v1/compare`: one prompt over several levels and parameter sets, all answers in one SSE stream. */
import { z } from "zod";
import { beamSchema, boxSchema, timingsSchema } from "../events.ts";
import {
  apiUsageSchema,
  finishReasonSchema,
  finishedBeamSchema,
  imageUsageSchema,
  tokenLogprobSchema,
} from "./answers.ts";
import { decodingParametersSchema } from "./decoding.ts";
import { apiErrorSchema } from "./error.ts";
import { answerPrefixSchema, modelSchema, promptFields } from "./messages.ts";

/** `POST /v1/compare`: one prompt before each level with each set of parameters. */
export const compareRequestSchema = z
  .strictObject({
    models: z.array(modelSchema).min(1).max(16),
    ...promptFields,
    parameter_sets: z
      .array(decodingParametersSchema)
      .min(1)
      .max(64)
      .optional()
      .describe("Every model answers with every set; left out: one set of defaults"),
    answer_prefix: answerPrefixSchema.optional(),
  })
  .meta({ id: "CompareRequest" });
export type CompareRequest = z.infer<typeof compareRequestSchema>;

/** Most answers of one comparison (models times parameter sets). */
export const maxCompareRuns = 64;

/** Which answer an event belongs to: `run` counts models first, then sets (run = set * models + model). */
const tag = {
  run: z.number().int(),
  model: z.string(),
  parameter_set: z.number().int().describe("Index into parameter_sets"),
};

/**
 * One event of a comparison; the SSE event name is its `type`. Runs interleave;
 * within a run: `start`, then `delta`s or `beams`, then `end` or `error`. An
 * error ends its run only. `data: [DONE]` follows the last event.
 */
export const compareEventSchema = z
  .discriminatedUnion("type", [
    z.object({
      type: z.literal("start"),
      ...tag,
      prompt: z.string(),
      images: z.array(imageUsageSchema),
    }),
    z.object({
      type: z.literal("delta"),
      ...tag,
      text: z.string(),
      logprobs: z
        .array(tokenLogprobSchema)
        .nullable()
        .describe("With logprobs: the tokens of this text"),
    }),
    z.object({ type: z.literal("beams"), ...tag, hypotheses: z.array(beamSchema) }),
    z.object({
      type: z.literal("end"),
      ...tag,
      text: z.string(),
      finish_reason: finishReasonSchema,
      logprobs: z
        .array(tokenLogprobSchema)
        .nullable()
        .describe("With logprobs: all tokens of the answer"),
      boxes: z.array(boxSchema),
      hypotheses: z.array(finishedBeamSchema).optional().describe("Beam search: all, best first"),
      seed: z.number().optional().describe("Sampling only: the seed it ran with"),
      usage: apiUsageSchema,
      timings: timingsSchema,
    }),
    z.object({ type: z.literal("error"), ...tag, error: apiErrorSchema.shape.error }),
  ])
  .meta({ id: "CompareEvent" });
export type CompareEvent = z.infer<typeof compareEventSchema>;
