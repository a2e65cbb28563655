/** OpenAI's published types against our request: every field is decided, by name. */
import type OpenAI from "openai";
import { describe, expect, expectTypeOf, test } from "vitest";
import { chatRequestSchema, idleFields, refusedFields } from "@tinygptv/protocol/http";
import type { ChatRequest, Message } from "@tinygptv/protocol/http";

type Theirs = OpenAI.ChatCompletionCreateParams;
type Part<Type extends string> = Extract<OpenAI.ChatCompletionContentPart, { type: Type }>;
type UserParts = Exclude<Extract<Message, { role: "user" }>["content"], string>[number];
type OurPart<Type extends string> = Extract<UserParts, { type: Type }>;
type Undecided<Their, Ours> = Exclude<keyof Their, keyof Ours>;

test("every field of a chat is honoured, accepted without effect, or refused with a reason", () => {
  expectTypeOf<Undecided<Theirs, ChatRequest & typeof refusedFields>>().toEqualTypeOf<never>();
  expectTypeOf<
    Undecided<OpenAI.ChatCompletionStreamOptions, NonNullable<ChatRequest["stream_options"]>>
  >().toEqualTypeOf<never>();
});

test("every field of a message and its parts is known", () => {
  expectTypeOf<Undecided<Part<"text">, OurPart<"text">>>().toEqualTypeOf<never>();
  expectTypeOf<Undecided<Part<"image_url">, OurPart<"image_url">>>().toEqualTypeOf<never>();
  expectTypeOf<
    Undecided<Part<"image_url">["image_url"], OurPart<"image_url">["image_url"]>
  >().toEqualTypeOf<never>();
  // As it is sent, and as it was received.
  type Assistant = Extract<Message, { role: "assistant" }>;
  expectTypeOf<
    Undecided<OpenAI.ChatCompletionAssistantMessageParam, Assistant>
  >().toEqualTypeOf<never>();
  expectTypeOf<Undecided<OpenAI.ChatCompletionMessage, Assistant>>().toEqualTypeOf<never>();
});

test("values without effect are all that are documented", () => {
  type Documented<Name extends keyof Theirs> = NonNullable<Theirs[Name]>;
  expectTypeOf<Documented<"service_tier">>().toExtend<ChatRequest["service_tier"]>();
  expectTypeOf<Documented<"prompt_cache_retention">>().toExtend<
    ChatRequest["prompt_cache_retention"]
  >();
  expectTypeOf<Documented<"parallel_tool_calls">>().toExtend<ChatRequest["parallel_tool_calls"]>();
  expectTypeOf<NonNullable<Part<"image_url">["image_url"]["detail"]>>().toExtend<
    OurPart<"image_url">["image_url"]["detail"]
  >();
});

describe("values", () => {
  const messages = [{ role: "user", content: "x" }];
  const accepted = (fields: object) => chatRequestSchema.safeParse({ messages, ...fields }).success;

  /** For each field without effect: what is accepted, and what asks for something. */
  const samples: Record<keyof typeof idleFields, [yes: unknown[], no: unknown[]]> = {
    user: [["u"], [1]],
    safety_identifier: [["u"], [1]],
    metadata: [[{}, { a: "b" }], [{ a: 1 }]],
    service_tier: [["auto", "default", "flex", "scale", "priority", "fast"], ["gold"]],
    prompt_cache_key: [["k"], [1]],
    prompt_cache_retention: [["in_memory", "24h"], ["1y"]],
    prompt_cache_options: [[{ mode: "implicit" }], [1]],
    store: [[false], [true]],
    modalities: [[["text"]], [["text", "audio"], ["audio"], []]],
    tools: [[[]], [[{ type: "function", function: { name: "f" } }]]],
    tool_choice: [
      ["none", "auto"],
      ["required", { type: "function", function: { name: "f" } }],
    ],
    parallel_tool_calls: [[true, false], ["yes"]],
    functions: [[[]], [[{ name: "f" }]]],
    function_call: [["none", "auto"], [{ name: "f" }]],
    reasoning_effort: [["none"], ["minimal", "low", "high"]],
    verbosity: [["medium"], ["low", "high"]],
  };

  test.each(Object.entries(samples))("of %s", (name, [yes, no]) => {
    expect(yes.filter((value) => !accepted({ [name]: value }))).toEqual([]);
    expect(no.filter((value) => accepted({ [name]: value }))).toEqual([]);
  });
});
