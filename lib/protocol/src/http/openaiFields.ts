/**
 * OpenAI's fields of a chat beyond those that are honoured, each decided once:
 * accepted where it asks for nothing beyond what happens anyway, refused by
 * name where it asks for something that is not done. A field can be in both
 * tables: of its values, the schema here has those without effect.
 */
import { z } from "zod";
import { recordOf } from "../record.ts";

const label = z.string().max(512);

/** Accepted, without effect on the answer. */
export const idleFields = {
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
  modalities: z
    .tuple([z.literal("text")], { error: 'want ["text"]: TinyGPT-V writes text only' })
    .optional(),
  tools: z.array(z.unknown()).max(0).optional(),
  tool_choice: z.enum(["none", "auto"]).optional(),
  parallel_tool_calls: z.boolean().optional(),
  functions: z.array(z.unknown()).max(0).optional(),
  function_call: z.enum(["none", "auto"]).optional(),
  reasoning_effort: z.literal("none").optional(),
  verbosity: z.literal("medium").optional(),
};

/** Refused, with the reason: other values of these are not honoured. */
export const refusedFields = {
  tools: "TinyGPT-V calls no tools",
  tool_choice: "TinyGPT-V calls no tools",
  functions: "TinyGPT-V calls no functions",
  function_call: "TinyGPT-V calls no functions",
  audio: "TinyGPT-V writes text only",
  prediction: "answers are not predicted",
  reasoning_effort: "TinyGPT-V has no reasoning mode",
  verbosity: "use max_tokens",
  web_search_options: "TinyGPT-V does not search",
  moderation: "nothing is moderated",
  num_return_sequences: "use n",
  suffix: "TinyGPT-V does not fill in",
  best_of: "use num_beams",
  echo: "the prompt is in tinygptv.prompt",
} as const;
