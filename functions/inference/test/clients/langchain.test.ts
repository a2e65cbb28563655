/** LangChain, unchanged. */
import { ChatOpenAI } from "@langchain/openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { apiKey, expected, openNanoServer, picture, question, shape } from "./nanoServer.ts";
import type { NanoServer } from "./nanoServer.ts";

const shaped = { animal: expect.any(String), legs: expect.any(Number) };

let nano: NanoServer;
beforeAll(async () => {
  nano = await openNanoServer();
});
afterAll(() => nano.close());

const chat = (fields: { model?: string; useResponsesApi?: boolean } = {}) =>
  new ChatOpenAI({
    model: nano.model,
    apiKey,
    maxRetries: 0,
    temperature: 0,
    configuration: { baseURL: nano.baseURL },
    ...fields,
  });
const messages = [
  {
    role: "user",
    content: [
      { type: "text", text: question },
      { type: "image_url", image_url: { url: picture } },
    ],
  },
];

test("answers", async () => {
  const answer = await chat().invoke(messages);
  expect(answer.content).toBe(expected);
  expect(answer.usage_metadata!.output_tokens).toBeGreaterThan(0);
});

test("answers and streams through the Responses API too", async () => {
  const responses = chat({ useResponsesApi: true });
  const answer = await responses.invoke(messages);
  expect(answer.text).toBe(expected);
  const again = await responses.invoke([...messages, answer, { role: "user", content: question }]);
  expect(again.text.length).toBeGreaterThan(0);
  let text = "";
  for await (const chunk of await responses.stream(messages)) text += chunk.text;
  expect(text).toBe(expected);
});

test("streams", async () => {
  let text = "";
  for await (const chunk of await chat().stream(messages)) text += String(chunk.content);
  expect(text).toBe(expected);
});

test("an abort frees the place", async () => {
  for await (const _ of await chat().stream(messages)) break;
  await expect.poll(nano.running).toBe(0);
});

test("gets an object under a schema", async () => {
  const structured = chat().withStructuredOutput(shape, { method: "jsonSchema", name: "animal" });
  expect(await structured.invoke(messages)).toEqual(shaped);
});

test("asks on with the message of its answer", async () => {
  const first = await chat().invoke(messages);
  const second = await chat().invoke([...messages, first, { role: "user", content: question }]);
  expect(String(second.content).length).toBeGreaterThan(0);
});

test("knows a conversation that is too long", async () => {
  const asked = chat().invoke([{ role: "user", content: "word ".repeat(3000) }]);
  await expect(asked).rejects.toMatchObject({ name: "ContextOverflowError" });
});

test("errors keep their message", async () => {
  await expect(chat({ model: "gpt-4" }).invoke(messages)).rejects.toThrow(/want one of/);
});
