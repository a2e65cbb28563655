/** The clients people use, unchanged, against a real server with a real model. */
import { readFile } from "node:fs/promises";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { ChatOpenAI } from "@langchain/openai";
import { APICallError, generateText, jsonSchema, Output, streamText } from "ai";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from "vitest";
import type { ApiError, ChatChunk, ChatResponse, ModelObject } from "@tinygptv/protocol/http";
import { dataUrl } from "../src/testing/pictures.ts";
import { createNanoEngine, nanoPath } from "./nano.ts";
import { testServer } from "./testServer.ts";
import type { TestServer } from "./testServer.ts";

const apiKey = "a-key-for-tests";
const dog = await readFile(nanoPath("gallery/dog.png"));
const picture = dataUrl(dog);
const question = "What do you see?";
/** As the gallery has it; JSON is beyond what nano was trained for, so only its form counts. */
const expected = "I see a dog on a green background.";
const shape = {
  type: "object" as const,
  properties: {
    animal: { type: "string" as const, maxLength: 12 },
    legs: { type: "integer" as const, minimum: 0, maximum: 8 },
  },
  required: ["animal", "legs"],
  additionalProperties: false,
};
const shaped = { animal: expect.any(String), legs: expect.any(Number) };

const engine = createNanoEngine();
let server: TestServer;
let baseURL: string;
let model: string;

beforeAll(async () => {
  server = await testServer(engine, { config: { keys: [apiKey] } });
  baseURL = `${server.url}/v1`;
  model = (await engine.models())[0]!.id;
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await engine.close();
});

const running = () => engine.status().running;

test("responses have the types that OpenAI publishes", () => {
  expectTypeOf<ChatResponse>().toExtend<OpenAI.Chat.ChatCompletion>();
  expectTypeOf<ChatChunk>().toExtend<OpenAI.Chat.ChatCompletionChunk>();
  expectTypeOf<ModelObject>().toExtend<OpenAI.Model>();
  expectTypeOf<ApiError["error"]>().toExtend<OpenAI.ErrorObject>();
});

describe("openai", () => {
  const client = (key = apiKey) => new OpenAI({ baseURL, apiKey: key, maxRetries: 0 });
  const request = {
    get model() {
      return model;
    },
    messages: [
      {
        role: "user" as const,
        content: [
          { type: "text" as const, text: question },
          { type: "image_url" as const, image_url: { url: picture } },
        ],
      },
    ],
  };

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
    const answer = await client().chat.completions.create({
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
    const answer = await client().chat.completions.create(request);
    expect(answer.choices[0]!.message.content).toBe(expected);
    expect(answer.usage!.total_tokens).toBe(
      answer.usage!.prompt_tokens + answer.usage!.completion_tokens,
    );
  });

  test("streams", async () => {
    const stream = await client().chat.completions.create({
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
    const { completions } = client().chat;
    const first = (await completions.create(request)).choices[0]!.message;
    expect(await secondTurn(sent(first))).toBe(again);
  });

  test("asks on with the answers of its helpers", async () => {
    const { completions } = client().chat;
    const { message } = await completions
      .stream(request)
      .finalChatCompletion()
      .then(({ choices }) => choices[0]!);
    const parsed = await completions.parse({ ...request, response_format: { type: "text" } });
    const streamed = await completions.stream(request).finalMessage();
    for (const one of [message, streamed, parsed.choices[0]!.message])
      expect(await secondTurn(one)).toBe(again);
  });

  test("is told that a conversation is too long", async () => {
    const long = "word ".repeat(3000);
    await expect(
      client().chat.completions.create({ model, messages: [{ role: "user", content: long }] }),
    ).rejects.toMatchObject({ status: 400, code: "context_length_exceeded", param: "messages" });
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
    const answer = await client().chat.completions.create({ ...request, ...more, stream: false });
    expect(answer.choices[0]!.message.content).toBe(expected);
  });

  test("streams without padding that nobody asked for", async () => {
    const stream = await client().chat.completions.create({
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
      const whole = (await client().chat.completions.create(asked)).choices[0]!;
      const streamed = (await client().chat.completions.stream(asked).finalChatCompletion())
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
    const answer = await client().chat.completions.create({
      ...request,
      response_format: { type: "json_object", schema } as OpenAI.ResponseFormatJSONObject,
    });
    const { confidence } = JSON.parse(answer.choices[0]!.message.content!);
    expect(confidence).toBeGreaterThanOrEqual(0);
    expect(confidence).toBeLessThanOrEqual(1);
  });

  test("streams beams, through its helper", async () => {
    const beams = { ...request, num_beams: 3 };
    const stream = client().chat.completions.stream(beams);
    const streamed = (await stream.finalChatCompletion()).choices[0]!.message.content;
    const whole = await client().chat.completions.create(beams);
    expect(streamed).toBe(whole.choices[0]!.message.content);
  });

  test("gives log-probabilities, also streamed", async () => {
    const asked = { ...request, logprobs: true, top_logprobs: 2, max_tokens: 4 };
    const whole = await client().chat.completions.create(asked);
    const streamed = await client().chat.completions.stream(asked).finalChatCompletion();
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
      const whole = (await client().chat.completions.create(asked)).choices[0]!;
      const streamed = (await client().chat.completions.stream(asked).finalChatCompletion())
        .choices[0]!;
      expect(JSON.parse(whole.message.content!)).toEqual(shaped);
      expect([streamed.message.content, streamed.finish_reason]).toEqual([
        whole.message.content,
        "stop",
      ]);
    }
  });

  test("is told which keyword of a schema is not supported", async () => {
    const schema = { type: "string", pattern: "a+" };
    const format = { type: "json_schema" as const, json_schema: { name: "x", schema } };
    await expect(
      client().chat.completions.create({ ...request, response_format: format }),
    ).rejects.toMatchObject({
      status: 400,
      code: "invalid_value",
      param: "response_format",
      message: expect.stringContaining("#/pattern: this keyword is not supported"),
    });
  });

  test("an abort frees the place", async () => {
    const stream = await client().chat.completions.create({ ...request, stream: true });
    for await (const _ of stream) break;
    await expect.poll(running).toBe(0);
  });

  test("errors have its classes", async () => {
    const { completions } = client().chat;
    await expect(client("another-key").models.list()).rejects.toBeInstanceOf(
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
    const asked = client().chat.completions.create({ ...request, ...body, stream: false });
    await expect(asked).rejects.toMatchObject({
      status: 400,
      code,
      param,
      message: expect.stringMatching(message),
    });
  });

  test("lists models", async () => {
    const ids = [];
    for await (const one of client().models.list()) ids.push(one.id);
    expect(ids).toContain(model);
  });
});

describe("AI SDK", () => {
  const messages = [
    {
      role: "user" as const,
      content: [
        { type: "text" as const, text: question },
        { type: "file" as const, data: dog, mediaType: "image/png" },
      ],
    },
  ];
  const languageModel = (key = apiKey, id = model) =>
    createOpenAICompatible({ name: "tinygptv", baseURL, apiKey: key, includeUsage: true })(id);

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
    await expect.poll(running).toBe(0);
  });

  test("gets an object under a schema", async () => {
    const structured = createOpenAICompatible({
      name: "tinygptv",
      baseURL,
      apiKey,
      supportsStructuredOutputs: true,
    })(model);
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
});

describe("LangChain", () => {
  const chat = (fields: { model?: string } = {}) =>
    new ChatOpenAI({
      model,
      apiKey,
      maxRetries: 0,
      temperature: 0,
      configuration: { baseURL },
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

  test("streams", async () => {
    let text = "";
    for await (const chunk of await chat().stream(messages)) text += String(chunk.content);
    expect(text).toBe(expected);
  });

  test("an abort frees the place", async () => {
    for await (const _ of await chat().stream(messages)) break;
    await expect.poll(running).toBe(0);
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
});
