/**
 * OpenAI's fields beyond those that are honoured, of a chat and of a response,
 * each decided once: accepted where it asks for nothing beyond what happens
 * anyway, refused by name where it asks for something that is not done. A field can be in both
 * tables: of its values, the schema here has those without effect.
 */
import { z } from "zod";
import { recordOf } from "../record.ts";

const label = z.string().max(512);

/** Accepted by both, without effect on the answer. */
const commonIdleFields = {
  user: label.optional(),
  safety_identifier: label.optional(),
  metadata: recordOf(z.string().max(64), label, 16).optional(),
  // There is one tier, for everybody.
  service_tier: z.enum(["auto", "default", "flex", "scale", "priority", "fast"]).optional(),
  // Prompts are cached by themselves, for everybody.
  prompt_cache_key: label.optional(),
  prompt_cache_retention: z.enum(["in_memory", "in-memory", "24h"]).optional(),
  prompt_cache_options: z.record(z.string(), z.unknown()).optional(),
  store: z.literal(false, { error: "want false: nothing is stored" }).optional(),
  tools: z.array(z.unknown()).max(0).optional(),
  tool_choice: z.enum(["none", "auto"]).optional(),
  parallel_tool_calls: z.boolean().optional(),
};

/** Accepted in a chat, without effect on the answer. */
export const idleFields = {
  ...commonIdleFields,
  modalities: z
    .tuple([z.literal("text")], { error: 'want ["text"]: TinyGPT-V writes text only' })
    .optional(),
  functions: z.array(z.unknown()).max(0).optional(),
  function_call: z.enum(["none", "auto"]).optional(),
  reasoning_effort: z.literal("none").optional(),
  verbosity: z.literal("medium").optional(),
};

/** Accepted of a response, without effect on it. */
export const idleResponseFields = {
  ...commonIdleFields,
  background: z.literal(false).optional(),
  truncation: z.literal("disabled").optional(),
  max_tool_calls: z.number().int().min(0).optional(),
  context_management: z.array(z.unknown()).max(0).optional(),
  reasoning: z.strictObject({ effort: z.literal("none").optional() }).optional(),
};

const commonRefusedFields = {
  tools: "TinyGPT-V calls no tools",
  tool_choice: "TinyGPT-V calls no tools",
  moderation: "nothing is moderated",
} as const;

/** Refused in a chat, with the reason: other values of these are not honoured. */
export const refusedFields = {
  ...commonRefusedFields,
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
} as const;

const sendAll = "nothing is stored: send the whole conversation as input";

/** Refused of a response, with the reason. */
export const refusedResponseFields = {
  ...commonRefusedFields,
  store: "nothing is stored",
  previous_response_id: sendAll,
  conversation: sendAll,
  prompt: "no prompts are stored: send its text as instructions and input",
  background: "answers are made while the caller waits",
  truncation: "nothing is left out of a conversation that is too long",
  context_management: "nothing is left out of a conversation that is too long",
  reasoning: "TinyGPT-V has no reasoning mode",
  image: "TinyGPT-V writes text only",
  modalities: "TinyGPT-V writes text only",
  n: "a response has one answer: use POST /v1/chat/completions",
  return_hypotheses: "a response has one answer: use POST /v1/chat/completions",
  max_tokens: "use max_output_tokens",
  max_completion_tokens: "use max_output_tokens",
  response_format: "use text.format",
  logprobs: 'use include: ["message.output_text.logprobs"]',
  messages: "use input",
} as const;
