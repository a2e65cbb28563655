/** The `openai` package, unchanged, with its Responses API. */
import type OpenAI from "openai";
import { afterAll, beforeAll, expect, expectTypeOf, test } from "vitest";
import type { ResponseEvent, ResponseObject } from "@tinygptv/protocol/http";
import {
  dog,
  expected,
  openai,
  openaiRequest,
  openNanoServer,
  picture,
  question,
  shape,
} from "./nanoServer.ts";
import type { NanoServer } from "./nanoServer.ts";

let nano: NanoServer;
let request: { model: string; input: OpenAI.Responses.ResponseInput };
beforeAll(async () => {
  nano = await openNanoServer();
  request = asking(picture);
});
afterAll(() => nano.close());

const asking = (url: string) => ({
  model: nano.model,
  input: [
    {
      role: "user" as const,
      content: [
        { type: "input_text" as const, text: question },
        { type: "input_image" as const, image_url: url, detail: "auto" as const },
      ],
    },
  ],
});
const next = { role: "user" as const, content: question };
const ask = (more: object = {}) =>
  openai(nano).responses.create({ ...request, ...more, stream: false });

test("responses have the types that OpenAI publishes", () => {
  // The package adds `output_text`; what it says of access is its own.
  type Published = Omit<OpenAI.Responses.Response, "output_text" | "access_programs">;
  expectTypeOf<Omit<ResponseObject, "output">>().toExtend<Omit<Published, "output">>();
  expectTypeOf<ResponseEvent["type"]>().toExtend<OpenAI.Responses.ResponseStreamEvent["type"]>();
});

test("answers", async () => {
  const answer = await ask({ store: false });
  expect(answer.output_text).toBe(expected);
  expect(answer).toMatchObject({
    object: "response",
    status: "completed",
    error: null,
    incomplete_details: null,
    model: nano.model,
    output: [{ type: "message", role: "assistant", status: "completed" }],
  });
  const usage = answer.usage!;
  expect(usage.total_tokens).toBe(usage.input_tokens + usage.output_tokens);
  expect(usage.output_tokens_details).toEqual({ reasoning_tokens: 0 });
  const chat = await openai(nano).chat.completions.create(openaiRequest(nano));
  expect([usage.input_tokens, usage.output_tokens]).toEqual([
    chat.usage!.prompt_tokens,
    chat.usage!.completion_tokens,
  ]);
});

test("streams the published events, numbered in their order", async () => {
  const stream = await openai(nano).responses.create({ ...request, stream: true });
  const events = [];
  for await (const event of stream) events.push(event);
  expect(events.map(({ sequence_number: number }) => number)).toEqual([...events.keys()]);
  const types = events.map(({ type }) => type);
  const deltas = types.filter((type) => type === "response.output_text.delta");
  expect(types).toEqual([
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    ...deltas,
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
  ]);
  expect(deltas.length).toBeGreaterThan(1);
  const text = events.map((event) =>
    event.type === "response.output_text.delta" ? event.delta : "",
  );
  expect(text.join("")).toBe(expected);
  const last = events.at(-1) as OpenAI.Responses.ResponseCompletedEvent;
  // What is another each time, and what the package adds.
  const own = /^(id|created_at|timings|cached.*|output_text)$/;
  const told = (one: object) =>
    JSON.stringify(one, (key, value) => (own.test(key) ? undefined : value));
  expect(told(last.response)).toBe(told(await ask()));
});

test("streams through its helper, with beams and log-probabilities too", async () => {
  for (const more of [{}, { num_beams: 3 }, { include: ["message.output_text.logprobs"] }]) {
    const asked = { ...request, ...more } as typeof request;
    const streamed = await openai(nano).responses.stream(asked).finalResponse();
    const whole = await ask(more);
    expect(streamed.output_text).toBe(whole.output_text);
    const [item] = streamed.output as OpenAI.Responses.ResponseOutputMessage[];
    const [part] = item!.content as OpenAI.Responses.ResponseOutputText[];
    const tokens = part!.logprobs!.map(({ token }) => token).join("");
    expect(tokens).toBe("include" in more ? whole.output_text : "");
  }
});

test("a text alone is a question", async () => {
  const answer = await ask({ input: "What is a dog?" });
  const chat = await openai(nano).chat.completions.create({
    model: nano.model,
    messages: [{ role: "user", content: "What is a dog?" }],
  });
  expect(answer.output_text).toBe(chat.choices[0]!.message.content);
});

test("takes an uploaded picture by its handle", async () => {
  const { id } = (await openai(nano).post("/images", {
    body: dog,
    headers: { "content-type": "image/png" },
  })) as { id: string };
  expect((await ask(asking(id))).output_text).toBe(expected);
});

test("asks on with the items of its answer, and with instructions as a system message", async () => {
  const first = await ask();
  const chat = openaiRequest(nano);
  const messages = [
    { role: "system" as const, content: "Be brief." },
    ...chat.messages,
    { role: "assistant" as const, content: expected },
    next,
  ];
  const same = await openai(nano).chat.completions.create({ ...chat, messages });
  for (const turn of [first.output, [{ role: "assistant", content: expected }]]) {
    const again = await ask({
      instructions: "Be brief.",
      input: [...request.input, ...turn, next],
    });
    expect(again.output_text).toBe(same.choices[0]!.message.content);
  }
});

test("an answer cut at its longest is incomplete", async () => {
  const cut = { max_output_tokens: 3 };
  const answers = [
    await ask(cut),
    await openai(nano)
      .responses.stream({ ...request, ...cut })
      .finalResponse(),
  ];
  for (const answer of answers) {
    expect(answer.status).toBe("incomplete");
    expect(answer.incomplete_details).toEqual({ reason: "max_output_tokens" });
    expect(answer.usage!.output_tokens).toBe(3);
  }
});

test("gets JSON under a schema", async () => {
  const format = { type: "json_schema", name: "animal", schema: shape, strict: true };
  const answer = await ask({ text: { format } });
  expect(JSON.parse(answer.output_text)).toEqual({
    animal: expect.any(String),
    legs: expect.any(Number),
  });
});

test.each<object>([
  { tools: [], tool_choice: "auto", parallel_tool_calls: false },
  { background: false, truncation: "disabled", previous_response_id: null },
  { include: ["reasoning.encrypted_content"], reasoning: { effort: "none" } },
  { metadata: { a: "b" }, user: "u", service_tier: "auto", prompt_cache_key: "k" },
  { text: { format: { type: "text" }, verbosity: "medium" }, temperature: 0 },
])("takes %j for what it asks: nothing more", async (more) => {
  expect((await ask(more)).output_text).toBe(expected);
});

test("an abort frees the place", async () => {
  const stream = await openai(nano).responses.create({ ...request, stream: true });
  for await (const _ of stream) break;
  await expect.poll(nano.running).toBe(0);
});

const says = (text: string) => ({ role: "user", content: text });
test.each<[body: object, code: string, param: string, message: RegExp]>([
  [{ store: true }, "unsupported_parameter", "store", /nothing is stored/],
  [
    { previous_response_id: "resp_1" },
    "unsupported_parameter",
    "previous_response_id",
    /send the whole conversation/,
  ],
  [{ tools: [{ type: "web_search" }] }, "unsupported_parameter", "tools", /calls no tools/],
  [{ background: true }, "unsupported_parameter", "background", /while the caller waits/],
  [{ reasoning: { effort: "high" } }, "unsupported_parameter", "reasoning", /no reasoning mode/],
  [{ truncation: "auto" }, "unsupported_parameter", "truncation", /nothing is left out/],
  [{ max_tokens: 5 }, "unsupported_parameter", "max_tokens", /use max_output_tokens/],
  [{ n: 2 }, "unsupported_parameter", "n", /one answer/],
  [{ colour: "red" }, "unknown_parameter", "colour", /want one of model, input/],
  [{ top_p: 7 }, "invalid_value", "top_p", /want a number from 0 to 1, got 7/],
  [{ model: "gpt-4" }, "model_not_found", "model", /want one of/],
  [
    { min_tokens: 9, max_output_tokens: 8 },
    "invalid_value",
    "min_tokens",
    /min_tokens: want at most max_output_tokens \(8\), got 9/,
  ],
  [
    {
      text: {
        format: { type: "json_schema", name: "x", schema: { pattern: "a", type: "string" } },
      },
    },
    "invalid_value",
    "text.format",
    /#\/pattern: this keyword is not supported/,
  ],
  [
    { input: [says("a"), { role: "assistant", content: "<ImageHere>" }, says("b")] },
    "invalid_prompt",
    "input[1].content",
    /input\[1\]\.content: want/,
  ],
  [
    { instructions: "<ImageHere>", input: "a" },
    "invalid_prompt",
    "instructions",
    / instructions: want/,
  ],
  [
    { instructions: "a", input: [says("a"), { role: "system", content: "b" }] },
    "invalid_prompt",
    "input[1]",
    /input\[1\]: want system messages before/,
  ],
  [
    { input: [{ type: "function_call_output", call_id: "c", output: "o" }] },
    "missing_required_parameter",
    "input[0].role",
    /input\[0\]\.role: want/,
  ],
  [
    { input: [{ role: "user", content: [{ type: "input_image", image_url: "data:,x" }] }] },
    "invalid_image_url",
    "input[0].content[0].image_url",
    /input\[0\]\.content\[0\]\.image_url/,
  ],
  [
    { input: [{ role: "user", content: [{ type: "input_image", file_id: "file-1" }] }] },
    "missing_required_parameter",
    "input[0].content[0].image_url",
    /image_url/,
  ],
  [{ input: "x ".repeat(50_001) }, "context_length_exceeded", "input", / input: want at most/],
])("errors name what was sent: %#", async (body, code, param, message) => {
  await expect(ask(body)).rejects.toMatchObject({
    status: code === "model_not_found" ? 404 : 400,
    code,
    param,
    message: expect.stringMatching(message),
  });
});
