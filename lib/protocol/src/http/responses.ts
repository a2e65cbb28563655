/** `POST /v1/responses`: OpenAI's Responses API with extensions; nothing is stored. */
import { z } from "zod";
import { choiceExtensions, imageUsageSchema, tokenLogprobSchema } from "./answers.ts";
import { decodingFields } from "./decoding.ts";
import {
  answerPrefixSchema,
  cached,
  detailSchema,
  imageReferenceSchema,
  modelSchema,
  promptOptions,
} from "./messages.ts";
import { idleResponseFields } from "./openaiFields.ts";

const inputTextSchema = z.strictObject({
  type: z.literal("input_text"),
  text: z.string(),
  ...cached,
});
const inputImageSchema = z.strictObject({
  type: z.literal("input_image"),
  image_url: imageReferenceSchema,
  detail: detailSchema,
  file_id: z
    .never({ error: "want none: image_url takes the id of an uploaded picture (img_…)" })
    .optional(),
  ...cached,
});
/** A part of an earlier answer; what came with its text is not shown to the model. */
const outputTextSchema = z.strictObject({
  type: z.literal("output_text"),
  text: z.string(),
  annotations: z.array(z.unknown()).optional(),
  logprobs: z.array(z.unknown()).optional(),
  parsed: z.unknown().optional(),
});

/** What items carry besides what they say. */
const itemFields = {
  type: z
    .literal("message", { error: 'want "message": TinyGPT-V calls no tools and does not reason' })
    .optional(),
  id: z.string().optional(),
  status: z.enum(["in_progress", "completed", "incomplete"]).optional(),
  phase: z.enum(["commentary", "final_answer"]).optional(),
};

const textParts = z.array(inputTextSchema).min(1).max(64);

/** An item of the input: a message of the conversation. */
export const inputItemSchema = z
  .discriminatedUnion("role", [
    z.strictObject({
      role: z.enum(["system", "developer"]),
      content: z.union([z.string(), textParts]),
      ...itemFields,
    }),
    z.strictObject({
      role: z.literal("user"),
      content: z.union([
        z.string(),
        z
          .array(z.discriminatedUnion("type", [inputTextSchema, inputImageSchema]))
          .min(1)
          .max(64),
      ]),
      ...itemFields,
    }),
    z.strictObject({
      role: z.literal("assistant"),
      content: z.union([
        z.string(),
        z
          .array(z.discriminatedUnion("type", [outputTextSchema, inputTextSchema]))
          .min(1)
          .max(64),
      ]),
      ...itemFields,
    }),
  ])
  .meta({ id: "InputItem" });
export type InputItem = z.infer<typeof inputItemSchema>;

const jsonSchema = z.record(z.string(), z.unknown());
/** What form an answer is asked to have: text, or JSON that follows a schema. */
export const textFormatSchema = z
  .discriminatedUnion("type", [
    z.strictObject({ type: z.literal("text") }),
    z.strictObject({ type: z.literal("json_object") }),
    z.strictObject({
      type: z.literal("json_schema"),
      name: z.string().min(1).max(64),
      description: z.string().max(4096).optional(),
      schema: jsonSchema,
      strict: z.boolean().optional().describe("An answer is always valid under its schema"),
    }),
  ])
  .meta({ id: "TextFormat" });
/** A parsed `textFormatSchema`. */
export type TextFormat = z.infer<typeof textFormatSchema>;

/** Asks for every token's log-probability; the others ask for what no answer of ours has. */
export const includeLogprobs = "message.output_text.logprobs";
const includable = [
  includeLogprobs,
  "message.input_image.image_url",
  "reasoning.encrypted_content",
  "file_search_call.results",
  "web_search_call.results",
  "web_search_call.action.sources",
  "computer_call_output.output.image_url",
  "code_interpreter_call.outputs",
] as const;

const {
  max_tokens: maxTokens,
  max_completion_tokens: _alias,
  response_format: _format,
  logprobs: _logprobs,
  ...furtherDecodingFields
} = decodingFields;

/** `POST /v1/responses` */
export const responseRequestSchema = z
  .strictObject({
    model: modelSchema.optional(),
    input: z.union([z.string(), z.array(inputItemSchema).min(1).max(128)]),
    instructions: z.string().optional().describe("Put before the input, as a system message is"),
    max_output_tokens: maxTokens,
    text: z
      .strictObject({
        format: textFormatSchema.optional(),
        verbosity: z
          .literal("medium", {
            error: 'want "medium": how long an answer is says max_output_tokens',
          })
          .optional(),
      })
      .optional(),
    include: z.array(z.enum(includable)).max(includable.length).optional(),
    ...furtherDecodingFields,
    ...promptOptions,
    answer_prefix: answerPrefixSchema.optional(),
    stream: z.boolean().optional(),
    stream_options: z
      .strictObject({
        include_obfuscation: z.boolean().optional().describe("Without effect: nothing is added"),
      })
      .optional(),
    ...idleResponseFields,
  })
  .meta({ id: "ResponseRequest" });
export type ResponseRequest = z.infer<typeof responseRequestSchema>;

const outputPartSchema = z.object({
  type: z.literal("output_text"),
  text: z.string(),
  annotations: z.tuple([]),
  logprobs: z.array(tokenLogprobSchema),
});
const statusSchema = z.enum(["in_progress", "completed", "incomplete"]);
const outputMessageSchema = z.object({
  id: z.string(),
  type: z.literal("message"),
  role: z.literal("assistant"),
  status: statusSchema,
  content: z.array(outputPartSchema),
});

/** OpenAI's counts of tokens under the names of this API, and what pictures took. */
export const responseUsageSchema = z
  .object({
    input_tokens: z.number().int(),
    input_tokens_details: z.object({
      cached_tokens: z.number().int().describe("Prompt positions taken from the prefix cache"),
      cache_write_tokens: z.literal(0),
      image_tokens: z.number().int().describe("Prompt positions taken by pictures"),
    }),
    output_tokens: z.number().int(),
    output_tokens_details: z.object({ reasoning_tokens: z.literal(0) }),
    total_tokens: z.number().int(),
    images: z.array(imageUsageSchema),
  })
  .meta({ id: "ResponseUsage" });
export type ResponseUsage = z.infer<typeof responseUsageSchema>;

/** An answer as OpenAI's response, and ours beside its fields. */
export const responseSchema = z
  .object({
    id: z.string(),
    object: z.literal("response"),
    created_at: z.number().int().describe("Unix seconds"),
    status: statusSchema.describe("incomplete: cut at its longest"),
    background: z.literal(false),
    error: z.null(),
    incomplete_details: z.object({ reason: z.literal("max_output_tokens") }).nullable(),
    instructions: z.string().nullable(),
    max_output_tokens: z.number().int().nullable(),
    metadata: z.record(z.string(), z.string()),
    model: z.string().describe("name:level that answered"),
    output: z.array(outputMessageSchema),
    parallel_tool_calls: z.boolean(),
    previous_response_id: z.null(),
    store: z.literal(false),
    temperature: z.number().nullable(),
    text: z.object({ format: textFormatSchema }),
    tool_choice: z.enum(["none", "auto"]),
    tools: z.tuple([]),
    top_p: z.number().nullable(),
    truncation: z.literal("disabled"),
    usage: responseUsageSchema.optional().describe("Once the answer has ended"),
    tinygptv: z
      .object({
        prompt: z.string().describe("The text before the model, <ImageHere> for each picture"),
        ...choiceExtensions,
      })
      .optional()
      .describe("Once the answer has ended"),
  })
  .meta({ id: "Response" });
export type ResponseObject = z.infer<typeof responseSchema>;

const of = { item_id: z.string(), output_index: z.literal(0), content_index: z.literal(0) };
const numbered = <Type extends string, Fields extends z.ZodRawShape>(type: Type, fields: Fields) =>
  z.object({ type: z.literal(type), sequence_number: z.number().int(), ...fields });

/** What a stream says, in the order of `sequence_number`; each under its type as the event's name. */
export const responseEventSchema = z
  .discriminatedUnion("type", [
    numbered("response.created", { response: responseSchema }),
    numbered("response.in_progress", { response: responseSchema }),
    numbered("response.output_item.added", {
      output_index: of.output_index,
      item: outputMessageSchema,
    }),
    numbered("response.content_part.added", { ...of, part: outputPartSchema }),
    numbered("response.output_text.delta", {
      ...of,
      delta: z.string(),
      logprobs: z.array(tokenLogprobSchema),
    }),
    numbered("response.output_text.done", {
      ...of,
      text: z.string(),
      logprobs: z.array(tokenLogprobSchema),
    }),
    numbered("response.content_part.done", { ...of, part: outputPartSchema }),
    numbered("response.output_item.done", {
      output_index: of.output_index,
      item: outputMessageSchema,
    }),
    numbered("response.completed", { response: responseSchema }),
    numbered("response.incomplete", { response: responseSchema }),
    numbered("error", {
      code: z.string(),
      message: z.string(),
      param: z.string().nullable(),
    }),
  ])
  .meta({ id: "ResponseEvent" });
export type ResponseEvent = z.infer<typeof responseEventSchema>;
