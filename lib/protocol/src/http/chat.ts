/** `POST /v1/chat/completions`: OpenAI's shape with extensions. */
import { z } from "zod";
import { beamSchema } from "../events.ts";
import {
  apiUsageSchema,
  choiceExtensions,
  finishReasonSchema,
  finishedBeamSchema,
  imageUsageSchema,
  logprobsSchema,
} from "./answers.ts";
import { decodingFields } from "./decoding.ts";
import { answerPrefixSchema, modelSchema, promptFields } from "./messages.ts";
import { idleFields } from "./openaiFields.ts";

/** `POST /v1/chat/completions` */
export const chatRequestSchema = z
  .strictObject({
    model: modelSchema.optional(),
    ...promptFields,
    ...decodingFields,
    n: z
      .number()
      .int()
      .min(1)
      .max(16)
      .optional()
      .describe(
        "Answers: independent generations, or with beams the n best hypotheses (n <= num_beams)",
      ),
    answer_prefix: answerPrefixSchema.optional(),
    return_hypotheses: z
      .boolean()
      .optional()
      .describe("Beam search: return every finished hypothesis with its score"),
    stream: z.boolean().optional(),
    stream_options: z
      .strictObject({
        include_usage: z.boolean().optional(),
        include_obfuscation: z.boolean().optional().describe("Without effect: nothing is added"),
      })
      .optional(),
    ...idleFields,
  })
  .meta({ id: "ChatRequest" });
export type ChatRequest = z.infer<typeof chatRequestSchema>;

/** The whole answer: OpenAI's object, and ours beside its fields. */
export const chatResponseSchema = z
  .object({
    id: z.string(),
    object: z.literal("chat.completion"),
    created: z.number().int().describe("Unix seconds"),
    model: z.string().describe("name:level that answered"),
    choices: z.array(
      z.object({
        index: z.number().int(),
        message: z.object({ role: z.literal("assistant"), content: z.string(), refusal: z.null() }),
        logprobs: logprobsSchema,
        finish_reason: finishReasonSchema,
        ...choiceExtensions,
      }),
    ),
    usage: apiUsageSchema,
    tinygptv: z.object({
      prompt: z.string().describe("The text before the model, <ImageHere> for each picture"),
      hypotheses: z
        .array(finishedBeamSchema)
        .optional()
        .describe("With return_hypotheses, best first"),
    }),
  })
  .meta({ id: "ChatResponse" });
export type ChatResponse = z.infer<typeof chatResponseSchema>;

/**
 * What chunks carry beyond OpenAI's fields. `start` rides on the first chunk,
 * `end` on the last one with a choice. `beams` has chunks of its own, with no
 * choices, under the event name `tinygptv.beams`: the current hypotheses, best
 * first, which replace those shown before.
 */
export const streamExtensionSchema = z.discriminatedUnion("event", [
  z.object({ event: z.literal("start"), prompt: z.string(), images: z.array(imageUsageSchema) }),
  z.object({ event: z.literal("beams"), hypotheses: z.array(beamSchema) }),
  z.object({ event: z.literal("end"), hypotheses: z.array(finishedBeamSchema).optional() }),
]);
/** Name of the server-sent events that carry the beams of a running search. */
export const beamsEventName = "tinygptv.beams";

/** One `data:` line of a stream; all of them are valid OpenAI chunks. */
export const chatChunkSchema = z
  .object({
    id: z.string(),
    object: z.literal("chat.completion.chunk"),
    created: z.number().int(),
    model: z.string(),
    choices: z.array(
      z.object({
        index: z.number().int(),
        delta: z.object({
          role: z.literal("assistant").optional(),
          content: z.string().optional(),
        }),
        logprobs: logprobsSchema,
        finish_reason: finishReasonSchema.nullable(),
        /** On the chunk with the finish reason. */
        boxes: choiceExtensions.boxes.optional(),
        timings: choiceExtensions.timings.optional(),
        score: choiceExtensions.score,
        seed: choiceExtensions.seed,
      }),
    ),
    usage: apiUsageSchema
      .nullable()
      .optional()
      .describe("With stream_options.include_usage: on the last chunk, null before"),
    tinygptv: streamExtensionSchema.optional(),
  })
  .meta({ id: "ChatChunk" });
export type ChatChunk = z.infer<typeof chatChunkSchema>;
