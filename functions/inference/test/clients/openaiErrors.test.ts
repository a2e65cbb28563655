/** What the `openai` package makes of refusals. */
import OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openai, openaiRequest, openNanoServer, shape } from "./nanoServer.ts";
import type { NanoServer } from "./nanoServer.ts";

let nano: NanoServer;
let request: ReturnType<typeof openaiRequest>;
beforeAll(async () => {
  nano = await openNanoServer();
  request = openaiRequest(nano);
});
afterAll(() => nano.close());

test("is told that a conversation is too long", async () => {
  const long = "word ".repeat(3000);
  await expect(
    openai(nano).chat.completions.create({
      model: nano.model,
      messages: [{ role: "user", content: long }],
    }),
  ).rejects.toMatchObject({ status: 400, code: "context_length_exceeded", param: "messages" });
});

test("is told which keyword of a schema is not supported", async () => {
  const schema = { type: "string", pattern: "a+" };
  const format = { type: "json_schema" as const, json_schema: { name: "x", schema } };
  await expect(
    openai(nano).chat.completions.create({ ...request, response_format: format }),
  ).rejects.toMatchObject({
    status: 400,
    code: "invalid_value",
    param: "response_format",
    message: expect.stringContaining("#/pattern: this keyword is not supported"),
  });
});

test("errors have its classes", async () => {
  const { completions } = openai(nano).chat;
  await expect(openai(nano, "another-key").models.list()).rejects.toBeInstanceOf(
    OpenAI.AuthenticationError,
  );
  await expect(completions.create({ ...request, model: "gpt-4" })).rejects.toMatchObject({
    status: 404,
    code: "model_not_found",
    param: "model",
    type: "not_found_error",
  });
  await expect(
    completions.create({ ...request, audio: { voice: "ash", format: "mp3" } }),
  ).rejects.toBeInstanceOf(OpenAI.BadRequestError);
  await expect(completions.create({ ...request, top_p: 7 })).rejects.toMatchObject({
    param: "top_p",
  });
});

const user = (content: string) => ({ role: "user" as const, content });
const schema = { type: "json_schema" as const, json_schema: { name: "x", schema: shape } };
test.each<[body: object, code: string, param: string, message: RegExp]>([
  [
    { messages: [user("a"), { role: "assistant", content: "b" }, user("<ImageHere>")] },
    "invalid_prompt",
    "messages[2].content",
    /messages\[2\]\.content: want text without <ImageHere>/,
  ],
  [
    { messages: [{ role: "system", content: "<ImageHere>" }, user("a")] },
    "invalid_prompt",
    "messages[0].content",
    /messages\[0\]\.content: want/,
  ],
  [
    { messages: [user("a"), { role: "assistant", content: "<ImageHere>" }, user("b")] },
    "invalid_prompt",
    "messages[1].content",
    /messages\[1\]\.content: want/,
  ],
  [
    { answer_prefix: [5, 999_999] },
    "invalid_value",
    "answer_prefix[1]",
    /answer_prefix\[1\]: want a token id from 0 to \d+, got 999999/,
  ],
  [
    { stop: ["a", "b"], response_format: schema },
    "invalid_value",
    "stop",
    /stop: want none with response_format, got 2/,
  ],
  [
    { min_tokens: 9, max_completion_tokens: 8 },
    "invalid_value",
    "min_tokens",
    /min_tokens: want at most max_tokens \(8\), got 9/,
  ],
  [
    { messages: [user("x".repeat(100_001))] },
    "context_length_exceeded",
    "messages",
    /messages: want at most 100000 characters/,
  ],
  [{ template: "raw" }, "invalid_prompt", "messages[0]", /messages\[0\]: want 1 <ImageHere>/],
  [
    { temperature: 0.0001 },
    "invalid_value",
    "temperature",
    /temperature: want 0 or a number from 0.001 to 100, got 0.0001/,
  ],
])("errors name what was sent: %j", async (body, code, param, message) => {
  const asked = openai(nano).chat.completions.create({ ...request, ...body, stream: false });
  await expect(asked).rejects.toMatchObject({
    status: 400,
    code,
    param,
    message: expect.stringMatching(message),
  });
});
