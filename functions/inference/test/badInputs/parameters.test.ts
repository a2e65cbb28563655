/** Parameters that do not exist, or have no such value. */
import { afterAll, beforeAll, test } from "vitest";
import { chat, messages, expectAnswer, expectRefusal, openServer } from "./refusals.ts";
import type { BadRequest } from "./refusals.ts";
import type { TestServer } from "../testServer.ts";

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const asking = (fields: object) => ({ messages, ...fields });

test.each<BadRequest>([
  ["an unknown parameter", chat, asking({ temprature: 1 }), "unknown_parameter", "temprature"],
  [
    "a prototype for a parameter",
    chat,
    '{"__proto__": {}, "messages": [{ "role": "user", "content": "x" }]}',
    "unknown_parameter",
    "__proto__",
  ],
  ["tools", chat, asking({ tools: [{}] }), "unsupported_parameter", "tools"],
  ["functions", chat, asking({ functions: [{}] }), "unsupported_parameter", "functions"],
  ["audio", chat, asking({ audio: {} }), "unsupported_parameter", "audio"],
  [
    "reasoning_effort",
    chat,
    asking({ reasoning_effort: "low" }),
    "unsupported_parameter",
    "reasoning_effort",
  ],
  [
    "modalities beyond text",
    chat,
    asking({ modalities: ["text", "audio"] }),
    "invalid_value",
    "modalities",
  ],
  ["store", chat, asking({ store: true }), "invalid_value", "store"],
  ["a temperature of text", chat, asking({ temperature: "hot" }), "invalid_type", "temperature"],
  ["a temperature too high", chat, asking({ temperature: 2.1 }), "invalid_value", "temperature"],
  ["a temperature below 0", chat, asking({ temperature: -1 }), "invalid_value", "temperature"],
  ["a top_p above 1", chat, asking({ top_p: 1.5 }), "invalid_value", "top_p"],
  ["max_tokens 0", chat, asking({ max_tokens: 0 }), "invalid_value", "max_tokens"],
  ["half a token", chat, asking({ max_tokens: 1.5 }), "invalid_type", "max_tokens"],
  ["an endless answer", chat, asking({ max_tokens: 1e9 }), "invalid_value", "max_tokens"],
  [
    "two lengths",
    chat,
    asking({ max_tokens: 1, max_completion_tokens: 2 }),
    "invalid_value",
    "max_completion_tokens",
  ],
  ["n 0", chat, asking({ n: 0 }), "invalid_value", "n"],
  ["n above num_beams", chat, asking({ n: 3, num_beams: 2 }), "invalid_value", "n"],
  ["17 beams", chat, asking({ num_beams: 17 }), "invalid_value", "num_beams"],
  [
    "hypotheses without beams",
    chat,
    asking({ return_hypotheses: true }),
    "invalid_value",
    "return_hypotheses",
  ],
  ["top_logprobs alone", chat, asking({ top_logprobs: 2 }), "invalid_value", "top_logprobs"],
  [
    "21 top_logprobs",
    chat,
    asking({ logprobs: true, top_logprobs: 21 }),
    "invalid_value",
    "top_logprobs",
  ],
  [
    "a logit bias for a word",
    chat,
    asking({ logit_bias: { cat: 1 } }),
    "invalid_value",
    "logit_bias.cat",
  ],
  [
    "a logit bias too large",
    chat,
    asking({ logit_bias: { "1": 101 } }),
    "invalid_value",
    "logit_bias.1",
  ],
  ["an empty stop text", chat, asking({ stop: "" }), "invalid_value", "stop"],
  ["too many stop texts", chat, asking({ stop: Array(9).fill("x") }), "invalid_value", "stop"],
  ["a seed that is no whole number", chat, asking({ seed: 1.5 }), "invalid_value", "seed"],
  ["an unknown task", chat, asking({ task: "dance" }), "invalid_value", "task"],
  ["an unknown template", chat, asking({ template: "llama" }), "invalid_value", "template"],
  [
    "stream options without stream",
    chat,
    asking({ stream_options: {} }),
    "invalid_value",
    "stream_options",
  ],
  [
    "an unknown stream option",
    chat,
    asking({ stream: true, stream_options: { x: 1 } }),
    "unknown_parameter",
    "stream_options.x",
  ],
  ["a text for stream", chat, asking({ stream: "yes" }), "invalid_type", "stream"],
  [
    "a response format of its own",
    chat,
    asking({ response_format: { type: "xml" } }),
    "invalid_value",
    "response_format.type",
  ],
  ["an unknown model", chat, asking({ model: "gpt-4" }), "model_not_found", "model"],
  ["an unknown level", chat, asking({ model: "fake:int2" }), "model_not_found", "model"],
])("%s", (...refused) => expectRefusal(server, ...refused));

test("the server lives on", () => expectAnswer(server));
