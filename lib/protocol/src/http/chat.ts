/** `POST /v1/chat/completions`: OpenAI's shape with extensions. */
import { z } from "zod";
import {
  answerPrefixSchema,
  beamSchema,
  boxSchema,
  decodingFields,
  hypothesisSchema,
  imageUsageSchema,
  logprobsSchema,
  modelSchema,
  promptFields,
  timingsSchema,
  usageSchema,
} from "./fields.ts";

export const responseFormatSchema = z
  .discriminatedUnion("type", [
    z.strictObject({ type: z.literal("text") }),
    z.strictObject({ type: z.literal("json_object") }),
    z.strictObject({
      type: z.literal("json_schema"),
      json_schema: z.strictObject({
        name: z.string().min(1).max(64),
        description: z.string().max(4096).optional(),
        schema: z.record(z.string(), z.unknown()).optional(),
        strict: z.boolean().nullable().optional(),
      }),
    }),
  ])
  .meta({ id: "ResponseFormat" });

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
    response_format: responseFormatSchema.optional(),
    answer_prefix: answerPrefixSchema.optional(),
    return_hypotheses: z
      .boolean()
      .optional()
      .describe("Beam search: return every finished hypothesis with its score"),
    stream: z.boolean().optional(),
    stream_options: z.strictObject({ include_usage: z.boolean().optional() }).optional(),
    // Accepted and without effect: nothing is stored, and there is one tier.
    user: z.string().max(512).optional(),
    safety_identifier: z.string().max(512).optional(),
    metadata: z.record(z.string().max(64), z.string().max(512)).optional(),
    store: z.literal(false).optional(),
    service_tier: z.enum(["auto", "default"]).optional(),
    modalities: z.tuple([z.literal("text")]).optional(),
  })
  .meta({ id: "ChatRequest" });
export type ChatRequest = z.infer<typeof chatRequestSchema>;

/** OpenAI's parameters that this model cannot honour; each is refused by name with its reason. */
export const unsupportedChatParameters: Readonly<Record<string, string>> = {
  tools: "TinyGPT-V calls no tools",
  tool_choice: "TinyGPT-V calls no tools",
  parallel_tool_calls: "TinyGPT-V calls no tools",
  functions: "TinyGPT-V calls no functions",
  function_call: "TinyGPT-V calls no functions",
  audio: "TinyGPT-V writes text only",
  prediction: "answers are not predicted",
  reasoning_effort: "TinyGPT-V has no reasoning mode",
  verbosity: "use max_tokens",
  web_search_options: "TinyGPT-V does not search",
  num_return_sequences: "use n",
  suffix: "TinyGPT-V does not fill in",
  best_of: "use num_beams",
  echo: "the prompt is in tinygptv.prompt",
};

const finishReasonSchema = z.enum(["stop", "length"]);

/** What a finished choice says beyond OpenAI's fields. */
const choiceExtensions = {
  boxes: z.array(boxSchema).describe("Rectangles found in the answer"),
  timings: timingsSchema,
  score: z.number().optional().describe("Beam search only"),
  seed: z
    .number()
    .int()
    .optional()
    .describe("Sampling only: the seed it ran with, drawn where none was given"),
};

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
    usage: usageSchema,
    tinygptv: z.object({
      prompt: z.string().describe("The text before the model, <ImageHere> for each picture"),
      hypotheses: z
        .array(hypothesisSchema)
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
  z.object({ event: z.literal("end"), hypotheses: z.array(hypothesisSchema).optional() }),
]);
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
    usage: usageSchema
      .nullable()
      .optional()
      .describe("With stream_options.include_usage: on the last chunk, null before"),
    tinygptv: streamExtensionSchema.optional(),
  })
  .meta({ id: "ChatChunk" });
export type ChatChunk = z.infer<typeof chatChunkSchema>;
