import { describe, expect, test } from "vitest";
import { chatChunkSchema, chatResponseSchema } from "@tinygptv/protocol/http";
import type { ChatChunk } from "@tinygptv/protocol/http";
import { createFakeEngine } from "../testing/fakeEngine.ts";
import { dataUrl, redPixel } from "../testing/pictures.ts";
import { readEvents, testApp } from "../testing/testApp.ts";

const path = "/v1/chat/completions";
const ask = (text: string, more: object = {}) => ({
  messages: [{ role: "user", content: text }],
  ...more,
});
const picture = { type: "image_url", image_url: { url: dataUrl(redPixel) } };

async function answer(body: object, app = testApp()) {
  const response = await app.post(path, body);
  expect(response.status).toBe(200);
  return chatResponseSchema.parse(await response.json());
}

async function stream(body: object, app = testApp()) {
  const response = await app.post(path, { ...body, stream: true });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const events = await readEvents(response);
  expect(events.pop()!.data).toBe("[DONE]");
  return events.map(({ event, data }) => ({
    event,
    chunk: chatChunkSchema.parse(JSON.parse(data)),
  }));
}

const contentOf = (chunks: { chunk: ChatChunk }[], index = 0) =>
  chunks
    .flatMap(({ chunk }) => chunk.choices)
    .filter((choice) => choice.index === index)
    .map((choice) => choice.delta.content ?? "")
    .join("");

describe("a whole answer", () => {
  test("has OpenAI's shape and says what it cost", async () => {
    const body = await answer(ask("hello"));
    expect(body).toMatchObject({
      object: "chat.completion",
      model: "fake:fp32",
      choices: [
        { index: 0, message: { role: "assistant", content: "hello [0]" }, finish_reason: "stop" },
      ],
      usage: { prompt_tokens: 5, completion_tokens: 9, total_tokens: 14, images: [] },
    });
    expect(body.id).toMatch(/^chatcmpl-/);
  });

  test("counts pictures and says which were seen before", async () => {
    const app = testApp();
    const messages = [{ role: "user", content: [picture, { type: "text", text: "what?" }] }];
    const first = await answer({ messages }, app);
    const second = await answer({ messages }, app);
    expect(first.choices[0]!.message.content).toBe("what? [1]");
    expect(first.usage.images).toMatchObject([{ width: 1, height: 1, cached: false }]);
    expect(second.usage.images).toEqual([{ ...first.usage.images[0], cached: true }]);
    expect(first.usage.prompt_tokens_details.image_tokens).toBe(32);
  });

  test("passes rounds, pictures and the system text on in order", async () => {
    const app = testApp();
    await answer(
      {
        messages: [
          { role: "system", content: "be brief" },
          { role: "user", content: [{ type: "text", text: "one" }, picture] },
          { role: "assistant", content: "1" },
          { role: "user", content: "two" },
          { role: "user", content: [picture, { type: "text", text: "three" }] },
        ],
        task: "vqa",
        template: "stage3",
        image_mode: "reference",
        answer_prefix: [1, 2],
      },
      app,
    );
    expect(app.engine.requests[0]!.request).toMatchObject({
      rounds: [
        { prompt: "be brief\none", images: 1, answer: "1" },
        { prompt: "two\nthree", images: 1 },
      ],
      task: "vqa",
      template: "stage3",
      imageMode: "reference",
      answerPrefix: [1, 2],
    });
    expect(app.engine.requests[0]!.images).toHaveLength(2);
  });

  test("gives log-probabilities with token ids, in what JSON can say", async () => {
    const body = await answer(ask("é", { logprobs: true, top_logprobs: 1 }));
    const { content } = body.choices[0]!.logprobs!;
    expect(content[0]).toEqual({
      token: "\u{fffd}",
      id: 0xc3,
      logprob: 0,
      bytes: [0xc3],
      top_logprobs: [{ token: "?", id: 63, logprob: -9999, bytes: [63] }],
    });
    expect(content.map(({ id }) => id)).toEqual([...Buffer.from("é [0]")]);
  });

  test("finds boxes in pixels of the picture", async () => {
    const engine = createFakeEngine({ answer: () => "<p>cat</p> {<0><0><50><100>}" });
    const messages = [{ role: "user", content: [picture, { type: "text", text: "where?" }] }];
    const body = await answer({ messages }, testApp({ engine }));
    expect(body.choices[0]!.boxes).toEqual([
      { phrase: "cat", percent: [0, 0, 50, 100], pixels: [0, 0, 0.5, 1], image: 0 },
    ]);
  });

  test("n answers of sampling use consecutive seeds", async () => {
    const body = await answer(ask("x", { n: 3, temperature: 1, seed: 5 }));
    expect(body.choices.map(({ message, seed }) => [message.content, seed])).toEqual([
      ["x [0] seed 5", 5],
      ["x [0] seed 6", 6],
      ["x [0] seed 7", 7],
    ]);
    expect(body.usage.prompt_tokens).toBe(1);
    expect(body.usage.completion_tokens).toBe(36);
  });

  test("n answers of a beam search are its best hypotheses; all come when asked for", async () => {
    const app = testApp();
    const body = await answer(ask("x", { num_beams: 3, n: 2, return_hypotheses: true }), app);
    expect(app.engine.requests).toHaveLength(1);
    expect(body.choices.map(({ message, score }) => [message.content, score])).toEqual([
      ["x [0]", -1],
      ["x [0] (1)", -2],
    ]);
    expect(body.tinygptv.hypotheses!.map(({ score }) => score)).toEqual([-1, -2, -3]);
  });

  test("ends before a stop text and at the length asked for", async () => {
    expect((await answer(ask("abcdef", { stop: "d" }))).choices[0]!.message.content).toBe("abc");
    const short = await answer(ask("abcdef", { max_completion_tokens: 2 }));
    expect(short.choices[0]).toMatchObject({ message: { content: "ab" }, finish_reason: "length" });
  });

  test("a stop text of the caller leaves the model's end mark in force", async () => {
    const engine = createFakeEngine({ answer: () => "yes###no" });
    const body = await answer(ask("?", { stop: ["zzz"] }), testApp({ engine }));
    expect(body.choices[0]!.message.content).toBe("yes");
  });

  test.each([
    [{ temperature: 0, top_p: 0.9, seed: 1 }, {}],
    [
      { temperature: 0.7, top_p: 0.9, top_k: 5, min_p: 0.1 },
      { temperature: 0.7, topP: 0.9, topK: 5, minP: 0.1 },
    ],
    [
      { num_beams: 4, length_penalty: 2, temperature: 0 },
      { numBeams: 4, lengthPenalty: 2, numReturnSequences: 1 },
    ],
    [
      { logit_bias: { "5": -100 }, presence_penalty: 1 },
      { logitBias: { "5": -100 }, presencePenalty: 1 },
    ],
    [{ max_tokens: null, stop: null, tools: null }, {}],
  ])("decoding parameters %j become %j", async (given, expected) => {
    const app = testApp();
    await answer(ask("x", given), app);
    const { decoding } = app.engine.requests[0]!.request;
    const set = Object.fromEntries(
      Object.entries(decoding!).filter(([, value]) => value !== undefined),
    );
    expect(set).toEqual(expected);
  });
});

describe("a streamed answer", () => {
  test("is OpenAI's chunks, then [DONE]", async () => {
    const chunks = await stream(ask("héllo"));
    expect(chunks[0]!.chunk.choices[0]!.delta).toEqual({ role: "assistant", content: "" });
    expect(chunks[0]!.chunk.tinygptv).toMatchObject({ event: "start", prompt: "héllo" });
    expect(contentOf(chunks)).toBe("héllo [0]");
    expect(chunks.at(-1)!.chunk.choices[0]).toMatchObject({ finish_reason: "stop", boxes: [] });
    expect(chunks.every(({ event }) => event === undefined)).toBe(true);
    expect(chunks.some(({ chunk }) => "usage" in chunk)).toBe(false);
  });

  test("says its usage last when asked, and null before", async () => {
    const chunks = await stream(ask("x", { stream_options: { include_usage: true } }));
    const last = chunks.pop()!.chunk;
    expect(last.choices).toEqual([]);
    expect(last.usage).toMatchObject({ prompt_tokens: 1, completion_tokens: 5, total_tokens: 6 });
    expect(chunks.every(({ chunk }) => chunk.usage === null)).toBe(true);
  });

  test("has the same log-probabilities as the whole answer", async () => {
    const asked = ask("é!", { logprobs: true, top_logprobs: 1 });
    const chunks = await stream(asked);
    const whole = await answer(asked);
    const content = chunks.flatMap(({ chunk }) =>
      chunk.choices.flatMap(({ logprobs }) => logprobs?.content ?? []),
    );
    expect(content).toEqual(whole.choices[0]!.logprobs!.content);
  });

  test("interleaves n answers, each whole", async () => {
    const chunks = await stream(ask("x", { n: 3, temperature: 1, seed: 1 }));
    expect([0, 1, 2].map((index) => contentOf(chunks, index))).toEqual(
      [1, 2, 3].map((seed) => `x [0] seed ${seed}`),
    );
  });

  test("shows beams as events of their own and settles on final texts", async () => {
    const chunks = await stream(ask("hello", { num_beams: 2, n: 2, return_hypotheses: true }));
    const beams = chunks.filter(({ event }) => event === "tinygptv.beams");
    expect(beams).toHaveLength(3);
    expect(
      beams.every(({ chunk }) => chunk.choices.length === 0 && chunk.tinygptv?.event === "beams"),
    ).toBe(true);
    expect(contentOf(chunks, 0)).toBe("hello [0]");
    expect(contentOf(chunks, 1)).toBe("hello [0] (1)");
    const { tinygptv } = chunks.at(-1)!.chunk;
    expect(tinygptv?.event === "end" && tinygptv.hypotheses?.length).toBe(2);
  });

  test("reports a failure in mid-stream as the error object, without [DONE]", async () => {
    const engine = createFakeEngine({ tokenMs: 5 });
    const { post } = testApp({ engine });
    const response = await post(path, ask("a long answer", { stream: true }));
    const reader = response.body!.getReader();
    await reader.read();
    engine.crash();
    let rest = "";
    for (let step = await reader.read(); !step.done; step = await reader.read())
      rest += new TextDecoder().decode(step.value);
    expect(rest).not.toContain("[DONE]");
    const last = JSON.parse(rest.trim().split("\n\n").at(-1)!.replace("data: ", ""));
    expect(last.error).toMatchObject({ code: "engine_failed", type: "server_error" });
  });

  test("a reader who leaves frees the place", async () => {
    const engine = createFakeEngine({ tokenMs: 5 });
    const { post } = testApp({ engine });
    const response = await post(path, ask("a long answer".repeat(100), { stream: true }));
    const reader = response.body!.getReader();
    await reader.read();
    expect(engine.status().running).toBe(1);
    await reader.cancel();
    await expect.poll(() => engine.status().running).toBe(0);
  });
});

describe("refusals", () => {
  test("an engine that dies before the answer begins is a 503, also for a stream", async () => {
    for (const streamed of [false, true]) {
      const engine = createFakeEngine({ tokenMs: 100 });
      const pending = testApp({ engine }).post(path, ask("x", { stream: streamed }));
      await expect.poll(() => engine.status().running, { interval: 1 }).toBe(1);
      engine.crash();
      const response = await pending;
      expect(response.status).toBe(503);
      expect(response.headers.get("retry-after")).toMatch(/^\d+$/);
      expect(await response.json()).toMatchObject({ error: { code: "engine_failed" } });
    }
  });

  test("a full queue is a 503 before the body is read", async () => {
    const engine = createFakeEngine({ tokenMs: 20, places: 1, queueLimit: 1 });
    const { app, post } = testApp({ engine });
    const running = [post(path, ask("a")), post(path, ask("b"))];
    await expect.poll(() => engine.status().queued).toBe(1);
    const response = await app.request(path, { method: "POST", body: "not even JSON" });
    expect(response.status).toBe(503);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await response.json()).toMatchObject({
      error: { code: "queue_full", type: "overloaded_error" },
    });
    expect((await Promise.all(running)).map(({ status }) => status)).toEqual([200, 200]);
  });

  test("an answer that takes too long is a 504", async () => {
    const engine = createFakeEngine({ tokenMs: 30 });
    const { post } = testApp({ engine, config: { limits: { generationMs: 40 } } });
    const response = await post(path, ask("slow"));
    expect(response.status).toBe(504);
    expect(await response.json()).toMatchObject({ error: { code: "generation_timeout" } });
    await expect.poll(() => engine.status().running).toBe(0);
  });

  test("one key cannot have more than its share at a time", async () => {
    const engine = createFakeEngine({ tokenMs: 10 });
    const { post } = testApp({ engine, config: { limits: { concurrencyPerKey: 1 } } });
    const first = await post(path, ask("long answer", { stream: true }));
    const second = await post(path, ask("x"));
    expect(second.status).toBe(429);
    expect(second.headers.get("retry-after")).toBe("1");
    expect(await second.json()).toMatchObject({
      error: { code: "too_many_requests", type: "rate_limit_error" },
    });
    await first.text();
    expect((await post(path, ask("x"))).status).toBe(200);
  });
});
