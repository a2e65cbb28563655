import { describe, expect, it } from "vitest";
import { cacheKey } from "./cacheKey.ts";

const chat = "/v1/chat/completions";
const messages = [{ role: "user", content: "What is it?" }];
const greedy = { messages, model: "nano" };
const picture = (url: string) => ({
  messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }],
});
const responses = "/v1/responses";
const input = "What is it?";
const shown = (url: string) => ({
  input: [{ role: "user", content: [{ type: "input_image", image_url: url }] }],
});
const handle = `img_${"0".repeat(64)}`;

describe("cacheKey", () => {
  it.each([
    ["the same", greedy],
    ["in another order", { model: "nano", messages: [{ content: "What is it?", role: "user" }] }],
    ["with what changes nothing", { ...greedy, user: "u", metadata: { a: "b" }, stream: false }],
    ["with nulls", { ...greedy, seed: null, stop: null }],
  ])("is one for requests that say the same: %s", async (_, body) => {
    const key = await cacheKey(chat, body);
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    expect(key).toBe(await cacheKey(chat, greedy));
  });

  it("is another for each thing that may change the answer", async () => {
    const bodies = [
      greedy,
      { messages },
      { ...greedy, messages: [...messages, { role: "assistant", content: "" }] },
      { ...greedy, messages: [{ role: "user", content: "what is it?" }] },
      { ...greedy, temperature: 0 },
      { ...greedy, temperature: 1, seed: 1 },
      { ...greedy, temperature: 1, seed: 2 },
      { ...greedy, num_beams: 2 },
      { ...greedy, logprobs: true },
      { ...greedy, logprobs: true, top_logprobs: 2 },
      picture(handle),
      picture("data:image/png;base64,AAAA"),
      picture("data:image/png;base64,AAAB"),
    ];
    const keys = await Promise.all(bodies.map((body) => cacheKey(chat, body)));
    expect(keys).not.toContain(undefined);
    expect(new Set(keys).size).toBe(bodies.length);
    const scored = { ...greedy, candidates: ["a", "b"] };
    expect(await cacheKey("/v1/score", scored)).not.toBe(
      await cacheKey("/v1/score", { ...greedy, candidates: ["b", "a"] }),
    );
  });

  it("tells responses apart, by what they repeat too", async () => {
    const bodies = [
      { input },
      { input, instructions: "be brief" },
      { input, max_output_tokens: 5 },
      { input, temperature: 1, seed: 1 },
      { input, metadata: { a: "b" } },
      shown(handle),
    ];
    const keys = await Promise.all(bodies.map((body) => cacheKey(responses, body)));
    expect(keys).not.toContain(undefined);
    expect(new Set(keys).size).toBe(bodies.length);
    expect(await cacheKey(responses, { input, stream: false, seed: null })).toBe(keys[0]);
  });

  it("keeps the order of a JSON schema's properties, in which answers are written", async () => {
    const asked = (properties: object) => ({
      ...greedy,
      response_format: {
        type: "json_schema",
        json_schema: { name: "a", schema: { type: "object", properties } },
      },
    });
    const [a, b] = [{ type: "string" }, { type: "number" }];
    const key = await cacheKey(chat, asked({ a, b }));
    expect(key).toBeDefined();
    expect(key).not.toBe(await cacheKey(chat, asked({ b, a })));
  });

  it.each([
    ["a stream", chat, { ...greedy, stream: true }],
    ["sampling", chat, { ...greedy, temperature: 0.5 }],
    ["sampling by top_p alone", chat, { ...greedy, top_p: 0.5 }],
    ["sampling by top_k alone", chat, { ...greedy, top_k: 5 }],
    ["sampling by min_p alone", chat, { ...greedy, min_p: 0.5 }],
    ["a picture from the web", chat, picture("https://example.com/a.png")],
    ["a picture from the web, oddly written", chat, picture(" HTTPS://example.com/a.png")],
    ["a response that streams", responses, { input, stream: true }],
    ["a sampled response", responses, { input, top_p: 0.5 }],
    ["a response to a picture from the web", responses, shown("https://example.com/a.png")],
    ["a response to nobody", responses, { input: [{ role: "assistant", content: "a" }] }],
    ["a body that is not valid", chat, { ...greedy, tools: [{}] }],
    ["a body that is no object", chat, [1]],
    ["no body", chat, undefined],
    [
      "a score of a picture from the web",
      "/v1/score",
      { ...picture("http://a/"), candidates: ["a"] },
    ],
    ["another path", "/v1/compare", { messages, models: ["nano"] }],
    ["a name that objects have", "/v1/__proto__", greedy],
    ["a query", `${chat}?a=1`, greedy],
  ])("is none for %s", async (_, path, body) => {
    expect(await cacheKey(path, body)).toBeUndefined();
  });
});
