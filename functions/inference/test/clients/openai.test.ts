/** The `openai` package, unchanged. */
import OpenAI from "openai";
import { afterAll, beforeAll, expect, expectTypeOf, test } from "vitest";
import type { ApiError, ChatChunk, ChatResponse, ModelObject } from "@tinygptv/protocol/http";
import { expected, openai, openaiRequest, openNanoServer, question, shape } from "./nanoServer.ts";
import type { NanoServer } from "./nanoServer.ts";

const shaped = { animal: expect.any(String), legs: expect.any(Number) };

let nano: NanoServer;
let request: ReturnType<typeof openaiRequest>;
beforeAll(async () => {
  nano = await openNanoServer();
  request = openaiRequest(nano);
});
afterAll(() => nano.close());

test("responses have the types that OpenAI publishes", () => {
  expectTypeOf<ChatResponse>().toExtend<OpenAI.Chat.ChatCompletion>();
  expectTypeOf<ChatChunk>().toExtend<OpenAI.Chat.ChatCompletionChunk>();
  expectTypeOf<ModelObject>().toExtend<OpenAI.Model>();
  expectTypeOf<ApiError["error"]>().toExtend<OpenAI.ErrorObject>();
});

/** What an assistant's message has in dumps of other libraries, and from servers that reason. */
const dumped = {
  refusal: null,
  parsed: null,
  annotations: [],
  tool_calls: null,
  function_call: null,
  audio: null,
  reasoning_content: "hm",
};
/** The answer to a second question after it. */
async function secondTurn(message: object): Promise<string | null> {
  const answer = await openai(nano).chat.completions.create({
    ...request,
    messages: [
      ...request.messages,
      message as OpenAI.ChatCompletionMessageParam,
      {
        role: "user",
        content: question,
        name: null,
      } as unknown as OpenAI.ChatCompletionMessageParam,
    ],
  });
  return answer.choices[0]!.message.content;
}
let again: string | null;
beforeAll(async () => {
  again = await secondTurn({ role: "assistant", content: expected });
});

test("answers", async () => {
  const answer = await openai(nano).chat.completions.create(request);
  expect(answer.choices[0]!.message.content).toBe(expected);
  expect(answer.usage!.total_tokens).toBe(
    answer.usage!.prompt_tokens + answer.usage!.completion_tokens,
  );
});

test("streams", async () => {
  const stream = await openai(nano).chat.completions.create({
    ...request,
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = "";
  let tokens = 0;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? "";
    tokens = chunk.usage?.completion_tokens ?? tokens;
  }
  expect(text).toBe(expected);
  expect(tokens).toBeGreaterThan(0);
});

test.each([
  ["as it was received", (message: object) => message],
  ["as other libraries dump it", (message: object) => ({ ...message, ...dumped })],
])("asks on with the answer %s", async (_, sent) => {
  const { completions } = openai(nano).chat;
  const first = (await completions.create(request)).choices[0]!.message;
  expect(await secondTurn(sent(first))).toBe(again);
});

test("asks on with the answers of its helpers", async () => {
  const { completions } = openai(nano).chat;
  const { message } = await completions
    .stream(request)
    .finalChatCompletion()
    .then(({ choices }) => choices[0]!);
  const parsed = await completions.parse({ ...request, response_format: { type: "text" } });
  const streamed = await completions.stream(request).finalMessage();
  for (const one of [message, streamed, parsed.choices[0]!.message])
    expect(await secondTurn(one)).toBe(again);
});

test.each<object>([
  { tools: [] },
  { tool_choice: "none" },
  { parallel_tool_calls: false },
  { service_tier: "flex" },
  { prompt_cache_key: "k" },
  { prompt_cache_retention: "24h" },
  { stream_options: null },
  { reasoning_effort: "none" },
  { seed: -1, temperature: 0 },
  { top_p: 0, seed: -(2 ** 62) },
  { metadata: { a: "b" }, store: false, user: "u" },
])("takes %j for what it asks: nothing more", async (more) => {
  const answer = await openai(nano).chat.completions.create({ ...request, ...more, stream: false });
  expect(answer.choices[0]!.message.content).toBe(expected);
});

test("streams without padding that nobody asked for", async () => {
  const stream = await openai(nano).chat.completions.create({
    ...request,
    stream: true,
    stream_options: { include_obfuscation: false, include_usage: true },
  });
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  expect(text).toBe(expected);
});

test("the log-probabilities of the content are of its tokens, up to where it ends", async () => {
  for (const more of [{}, { stop: "green" }, { num_beams: 2 }, { stop: "n a gr" }]) {
    const asked = { ...request, ...more, logprobs: true };
    const whole = (await openai(nano).chat.completions.create(asked)).choices[0]!;
    const streamed = (await openai(nano).chat.completions.stream(asked).finalChatCompletion())
      .choices[0]!;
    for (const { message, logprobs } of [whole, streamed])
      expect(logprobs!.content!.map(({ token }) => token).join("")).toBe(message.content);
  }
});

test("gets any number between limits, and JSON in the dialect of other servers", async () => {
  const schema = {
    type: "object",
    properties: { confidence: { type: "number", minimum: 0, maximum: 1 } },
    required: ["confidence"],
  };
  const answer = await openai(nano).chat.completions.create({
    ...request,
    response_format: { type: "json_object", schema } as OpenAI.ResponseFormatJSONObject,
  });
  const { confidence } = JSON.parse(answer.choices[0]!.message.content!);
  expect(confidence).toBeGreaterThanOrEqual(0);
  expect(confidence).toBeLessThanOrEqual(1);
});

test("streams beams, through its helper", async () => {
  const beams = { ...request, num_beams: 3 };
  const stream = openai(nano).chat.completions.stream(beams);
  const streamed = (await stream.finalChatCompletion()).choices[0]!.message.content;
  const whole = await openai(nano).chat.completions.create(beams);
  expect(streamed).toBe(whole.choices[0]!.message.content);
});

test("gives log-probabilities, also streamed", async () => {
  const asked = { ...request, logprobs: true, top_logprobs: 2, max_tokens: 4 };
  const whole = await openai(nano).chat.completions.create(asked);
  const streamed = await openai(nano).chat.completions.stream(asked).finalChatCompletion();
  expect(whole.choices[0]!.logprobs!.content!.length).toBeGreaterThan(0);
  expect(streamed.choices[0]!.logprobs!.content).toEqual(whole.choices[0]!.logprobs!.content);
});

test("gets JSON under a schema, also streamed and with beams", async () => {
  const format = {
    type: "json_schema" as const,
    json_schema: { name: "animal", schema: shape, strict: true },
  };
  for (const more of [{}, { num_beams: 3 }, { temperature: 1, seed: 5 }]) {
    const asked = { ...request, ...more, response_format: format };
    const whole = (await openai(nano).chat.completions.create(asked)).choices[0]!;
    const streamed = (await openai(nano).chat.completions.stream(asked).finalChatCompletion())
      .choices[0]!;
    expect(JSON.parse(whole.message.content!)).toEqual(shaped);
    expect([streamed.message.content, streamed.finish_reason]).toEqual([
      whole.message.content,
      "stop",
    ]);
  }
});

test("an abort frees the place", async () => {
  const stream = await openai(nano).chat.completions.create({ ...request, stream: true });
  for await (const _ of stream) break;
  await expect.poll(nano.running).toBe(0);
});

test("lists models", async () => {
  const ids = [];
  for await (const one of openai(nano).models.list()) ids.push(one.id);
  expect(ids).toContain(nano.model);
});
