/** The Vercel AI SDK, unchanged. */
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateText, jsonSchema, Output, streamText } from "ai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { apiKey, dog, expected, openNanoServer, question, shape } from "./nanoServer.ts";
import type { NanoServer } from "./nanoServer.ts";

const shaped = { animal: expect.any(String), legs: expect.any(Number) };

let nano: NanoServer;
beforeAll(async () => {
  nano = await openNanoServer();
});
afterAll(() => nano.close());

const messages = [
  {
    role: "user" as const,
    content: [
      { type: "text" as const, text: question },
      { type: "file" as const, data: dog, mediaType: "image/png" },
    ],
  },
];
const languageModel = (key = apiKey, id = nano.model) =>
  createOpenAICompatible({
    name: "tinygptv",
    baseURL: nano.baseURL,
    apiKey: key,
    includeUsage: true,
  })(id);

test("answers", async () => {
  const { text, finishReason, usage } = await generateText({
    model: languageModel(),
    messages,
    maxRetries: 0,
  });
  expect(text).toBe(expected);
  expect(finishReason).toBe("stop");
  expect(usage.outputTokens).toBeGreaterThan(0);
});

test("asks on with the messages of its answer", async () => {
  const first = await generateText({ model: languageModel(), messages, maxRetries: 0 });
  const next = { role: "user" as const, content: question };
  const { text } = await generateText({
    model: languageModel(),
    messages: [...messages, ...first.response.messages, next],
    maxRetries: 0,
  });
  expect(text.length).toBeGreaterThan(0);
});

test("streams, with its own parameters and ours", async () => {
  const result = streamText({
    model: languageModel(),
    messages,
    maxRetries: 0,
    temperature: 0,
    maxOutputTokens: 500,
    providerOptions: { tinygptv: { repetition_penalty: 1 } },
  });
  expect(await result.text).toBe(expected);
  expect((await result.usage).outputTokens).toBeGreaterThan(0);
});

test("an abort frees the place", async () => {
  const gone = new AbortController();
  const result = streamText({
    model: languageModel(),
    messages,
    maxRetries: 0,
    abortSignal: gone.signal,
  });
  for await (const _ of result.textStream) gone.abort();
  await expect.poll(nano.running).toBe(0);
});

test("gets an object under a schema", async () => {
  const structured = createOpenAICompatible({
    name: "tinygptv",
    baseURL: nano.baseURL,
    apiKey,
    supportsStructuredOutputs: true,
  })(nano.model);
  const { output } = await generateText({
    model: structured,
    messages,
    maxRetries: 0,
    output: Output.object({ schema: jsonSchema(shape) }),
  });
  expect(output).toEqual(shaped);
});

test("errors keep status and message", async () => {
  const asked = generateText({
    model: languageModel(apiKey, "gpt-4"),
    messages,
    maxRetries: 0,
  });
  const error = await asked.catch((thrown: unknown) => thrown);
  expect(APICallError.isInstance(error) && [error.statusCode, error.message]).toEqual([
    404,
    expect.stringContaining("want one of"),
  ]);
});
