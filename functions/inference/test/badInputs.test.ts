/** What callers can get wrong, and the exact answer to each, from a real listening server. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { errorCodes } from "@tinygptv/protocol/http";
import type { ApiErrorCode } from "@tinygptv/protocol/http";
import { createFakeEngine } from "../src/testing/fakeEngine.ts";
import { dataUrl, redPixel } from "../src/testing/pictures.ts";
import { send, sendRaw, testServer } from "./testServer.ts";
import type { TestServer } from "./testServer.ts";

const engine = createFakeEngine();
let server: TestServer;
beforeAll(async () => {
  server = await testServer(engine, {
    headMs: 400,
    config: { limits: { bodyBytes: 20_000, bodyMs: 300, imageBytes: 5000, imagesPerRequest: 3 } },
  });
});
afterAll(() => server[Symbol.asyncDispose]());

const chat = "/v1/chat/completions";
const user = (content: unknown) => ({ role: "user", content });
const messages = [user("hi")];
const image = (url: unknown, more: object = {}) => [
  user([{ type: "image_url", image_url: { url, ...more } }]),
];
const asking = (fields: object) => ({ messages, ...fields });
const zip = Buffer.from("PK\x03\x04 and so on");

type Row = [name: string, path: string, body: unknown, code: ApiErrorCode, param?: unknown];

const rows: Row[] = [
  // bodies
  ["an empty body", chat, "", "invalid_json"],
  ["cut-off JSON", chat, '{"messages": [', "invalid_json"],
  ["a trailing comma", chat, '{"messages": [],}', "invalid_json"],
  ["two values", chat, "{}{}", "invalid_json"],
  ["bytes that are not UTF-8", chat, Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d), "invalid_json"],
  ["a list for a body", chat, "[]", "invalid_type"],
  ["a string for a body", chat, '"hi"', "invalid_type"],
  ["null for a body", chat, "null", "invalid_type"],
  ["deep nesting", chat, "[".repeat(9000) + "]".repeat(9000), "invalid_json"],
  ["a body over the limit", chat, { messages: [user("x".repeat(20_000))] }, "request_too_large"],
  // messages
  ["no messages", chat, {}, "missing_required_parameter", "messages"],
  ["an empty list of messages", chat, { messages: [] }, "invalid_value", "messages"],
  ["messages that are no list", chat, { messages: "hi" }, "invalid_type", "messages"],
  [
    "a message without content",
    chat,
    { messages: [{ role: "user" }] },
    "missing_required_parameter",
    "messages[0].content",
  ],
  ["a number for content", chat, { messages: [user(7)] }, "invalid_type", "messages[0].content"],
  [
    "an empty list of parts",
    chat,
    { messages: [user([])] },
    "invalid_value",
    "messages[0].content",
  ],
  [
    "an unknown role",
    chat,
    { messages: [{ role: "tool", content: "x" }] },
    "invalid_value",
    "messages[0].role",
  ],
  [
    "an unknown part",
    chat,
    { messages: [user([{ type: "input_audio" }])] },
    "invalid_value",
    "messages[0].content[0].type",
  ],
  [
    "a part without its text",
    chat,
    { messages: [user([{ type: "text" }])] },
    "missing_required_parameter",
    "messages[0].content[0].text",
  ],
  [
    "a stray field in a message",
    chat,
    { messages: [{ ...user("x"), x: 1 }] },
    "unknown_parameter",
    "messages[0].x",
  ],
  [
    "an answer first",
    chat,
    { messages: [{ role: "assistant", content: "x" }] },
    "invalid_prompt",
    "messages[0]",
  ],
  [
    "an answer last",
    chat,
    { messages: [...messages, { role: "assistant", content: "x" }] },
    "invalid_prompt",
    "messages[1]",
  ],
  [
    "a late system message",
    chat,
    { messages: [...messages, { role: "system", content: "x" }] },
    "invalid_prompt",
    "messages[1]",
  ],
  [
    "only a system message",
    chat,
    { messages: [{ role: "system", content: "x" }] },
    "invalid_prompt",
    "messages[0]",
  ],
  // parameters
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
  // pictures
  [
    "a picture without URL",
    chat,
    { messages: image(undefined) },
    "missing_required_parameter",
    "messages[0].content[0].image_url.url",
  ],
  [
    "an unknown detail",
    chat,
    { messages: image(dataUrl(redPixel), { detail: "ultra" }) },
    "invalid_value",
    "messages[0].content[0].image_url.detail",
  ],
  ["a path for a URL", chat, { messages: image("/etc/passwd") }, "invalid_image_url"],
  ["a file URL", chat, { messages: image("file:///etc/passwd") }, "invalid_image_url"],
  ["the loopback", chat, { messages: image("http://127.0.0.1:1/") }, "image_url_refused"],
  ["the loopback by name", chat, { messages: image("http://localhost:1/") }, "image_url_refused"],
  [
    "the loopback in disguise",
    chat,
    { messages: image("http://[::ffff:7f00:1]/") },
    "image_url_refused",
  ],
  [
    "cloud metadata",
    chat,
    { messages: image("http://169.254.169.254/latest/") },
    "image_url_refused",
  ],
  ["a decimal address", chat, { messages: image("http://2130706433/") }, "image_url_refused"],
  [
    "a data URL that is not base64",
    chat,
    { messages: image("data:image/png;base64,???") },
    "invalid_image_url",
  ],
  [
    "a data URL of HTML",
    chat,
    { messages: image("data:text/html;base64,AAAA") },
    "invalid_image_url",
  ],
  ["an empty picture", chat, { messages: image("data:image/png;base64,") }, "invalid_image"],
  ["a zip file as a picture", chat, { messages: image(dataUrl(zip)) }, "invalid_image"],
  ["an SVG as a PNG", chat, { messages: image(dataUrl(Buffer.from("<svg/>"))) }, "invalid_image"],
  ["a picture cut off", chat, { messages: image(dataUrl(redPixel.slice(0, 10))) }, "invalid_image"],
  [
    "a picture too large",
    chat,
    { messages: image(dataUrl(new Uint8Array(6000))) },
    "image_too_large",
  ],
  [
    "too many pictures",
    chat,
    { messages: Array(4).fill(image(dataUrl(redPixel))[0]) },
    "invalid_value",
    "messages",
  ],
  ["a handle nobody has", chat, { messages: image(`img_${"0".repeat(64)}`) }, "image_not_found"],
  ["a handle that climbs", chat, { messages: image("img_../../../etc/passwd") }, "image_not_found"],
  // other routes
  ["compare without models", "/v1/compare", { messages }, "missing_required_parameter", "models"],
  [
    "compare with a bad set",
    "/v1/compare",
    { models: ["fake"], messages, parameter_sets: [{ top_k: -1 }] },
    "invalid_value",
    "parameter_sets[0].top_k",
  ],
  [
    "score without candidates",
    "/v1/score",
    { messages },
    "missing_required_parameter",
    "candidates",
  ],
  [
    "score of no candidates",
    "/v1/score",
    { messages, candidates: [] },
    "invalid_value",
    "candidates",
  ],
  ["tokenize a number", "/v1/tokenize", { text: 7 }, "invalid_type", "text"],
  ["detokenize a negative id", "/v1/detokenize", { ids: [-1] }, "invalid_value", "ids[0]"],
  ["preprocess nothing", "/v1/preprocess", {}, "missing_required_parameter", "image"],
  [
    "preprocess a local file",
    "/v1/preprocess",
    { image: "file:///etc/hosts" },
    "invalid_image_url",
    "image",
  ],
  ["an empty notebook", "/v1/notebooks", { markdown: "" }, "invalid_value", "markdown"],
  [
    "a notebook's file that climbs",
    "/v1/notebooks",
    { markdown: "x", files: { "../x": "AAAA" } },
    "invalid_value",
    "files.../x",
  ],
  [
    "a notebook's file that is not base64",
    "/v1/notebooks",
    { markdown: "x", files: { x: "?" } },
    "invalid_value",
    "files.x",
  ],
  ["a route nobody has", "/v1/completions", {}, "not_found", null],
];

test.each(rows)("%s", async (_, path, body, code, param) => {
  const bytes =
    typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
  const { status, text } = await send(server, { path, body: bytes });
  const { error } = JSON.parse(text);
  expect({ status, code: error.code }).toEqual({ status: errorCodes[code][0], code });
  expect(error).toMatchObject({
    type: errorCodes[code][1],
    ...(param === undefined ? {} : { param }),
  });
  expect(text).not.toMatch(/node_modules|functions\/|\.ts\b/);
});

test("there are at least 60 of them, and the server lives on", async () => {
  expect(rows.length).toBeGreaterThanOrEqual(60);
  expect((await send(server, { path: chat, body: JSON.stringify({ messages }) })).status).toBe(200);
});

const json = { "content-type": "application/json" };
test.each<[string, Parameters<typeof send>[1], ApiErrorCode]>([
  ["a body without type", { path: chat, headers: {}, body: "{}" }, "unsupported_media_type"],
  [
    "a form",
    { path: chat, headers: { "content-type": "text/plain" }, body: "{}" },
    "unsupported_media_type",
  ],
  [
    "a picture as text",
    { path: "/v1/images", headers: { "content-type": "text/plain" }, body: redPixel },
    "unsupported_media_type",
  ],
  [
    "a form without its file",
    {
      path: "/v1/images",
      headers: { "content-type": "multipart/form-data; boundary=x" },
      body: "--x--\r\n",
    },
    "missing_required_parameter",
  ],
  [
    "a form that is none",
    {
      path: "/v1/images",
      headers: { "content-type": "multipart/form-data; boundary=x" },
      body: "hello",
    },
    "invalid_value",
  ],
  [
    "a picture over the limit",
    { path: "/v1/images", headers: { "content-type": "image/png" }, body: new Uint8Array(6000) },
    "image_too_large",
  ],
  [
    "a chunked body over the limit",
    {
      path: chat,
      headers: { ...json, "transfer-encoding": "chunked" },
      body: `"${"x".repeat(21_000)}"`,
    },
    "request_too_large",
  ],
  ["GET where POST is wanted", { path: chat, method: "GET" }, "method_not_allowed"],
  ["DELETE of a model", { path: "/v1/models/fake", method: "DELETE" }, "method_not_allowed"],
  [
    "a picture's path that climbs",
    { path: "/v1/images/../../../etc/passwd", method: "GET" },
    "not_found",
  ],
  [
    "the same in disguise",
    { path: "/v1/images/..%2f..%2f..%2fetc%2fpasswd", method: "GET" },
    "image_not_found",
  ],
  ["a NUL in a handle", { path: "/v1/images/img_%00", method: "GET" }, "image_not_found"],
  ["a broken escape", { path: "/v1/images/%zz", method: "GET" }, "image_not_found"],
  [
    "deleting what is not there",
    { path: `/v1/images/img_${"0".repeat(64)}`, method: "DELETE" },
    "image_not_found",
  ],
  [
    "a page of another site",
    { path: chat, headers: { ...json, origin: "https://evil.example" }, body: "{}" },
    "origin_not_allowed",
  ],
  [
    "a name that is not this machine's",
    { path: chat, headers: { ...json, host: "evil.example" }, body: "{}" },
    "origin_not_allowed",
  ],
  [
    "headers without end",
    { path: chat, headers: { ...json, "x-long": "x".repeat(20_000) }, body: "{}" },
    "headers_too_large",
  ],
])("%s", async (_, sent, code) => {
  const { status, text, headers } = await send(server, sent);
  const { error } = JSON.parse(text);
  expect({ status, code: error.code }).toEqual({ status: errorCodes[code][0], code });
  expect("allow" in headers).toBe(code === "method_not_allowed");
});

const head = `POST ${chat} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;
test.each<[string, string, { end?: boolean }, number | undefined]>([
  ["what is not HTTP", "hello\r\n\r\n", {}, 400],
  ["a body that never comes", `${head}content-length: 100\r\n\r\n{"mess`, {}, 408],
  [
    "a chunked body that stalls",
    `${head}transfer-encoding: chunked\r\n\r\n5\r\n{"mes\r\n`,
    {},
    408,
  ],
  ["a head that never ends", `POST ${chat} HTTP/1.1\r\nhost: loc`, {}, 408],
  ["a negative length", `${head}content-length: -5\r\n\r\n`, {}, 400],
  ["two lengths", `${head}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`, {}, 400],
  [
    "a length and chunks",
    `${head}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    {},
    400,
  ],
  ["a bad chunk", `${head}transfer-encoding: chunked\r\n\r\nzz\r\n`, {}, 400],
])("%s", async (_, text, options, status) => {
  const answer = await sendRaw(server, text, options);
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(JSON.parse(answer.slice(answer.indexOf("{"))).error.type).toBe("invalid_request_error");
});
