/** Request bodies: compressed, or made to hurt. */
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createFakeEngine } from "../src/testing/fakeEngine.ts";
import { redPixel } from "../src/testing/pictures.ts";
import { send, testServer } from "./testServer.ts";
import type { TestServer } from "./testServer.ts";

const chat = "/v1/chat/completions";
const json = { "content-type": "application/json" };
const messages = [{ role: "user", content: "hi" }];
let server: TestServer;
beforeAll(async () => (server = await testServer(createFakeEngine())));
afterAll(() => server[Symbol.asyncDispose]());

describe("compressed", () => {
  const encoders = {
    gzip: gzipSync,
    "x-gzip": gzipSync,
    deflate: deflateSync,
    br: brotliCompressSync,
  };
  const bodies: [path: string, type: string, body: Uint8Array | string, status: number][] = [
    [chat, "application/json", JSON.stringify({ messages }), 200],
    ["/v1/tokenize", "application/json", '{"text":"hi"}', 200],
    ["/v1/notebooks", "application/json", '{"markdown":"# x"}', 201],
    ["/v1/images", "image/png", redPixel, 200],
  ];
  test.each(Object.keys(encoders))("%s, on every route with a body", async (encoding) => {
    await send(server, {
      path: "/v1/images",
      headers: { "content-type": "image/png" },
      body: redPixel,
    });
    for (const [path, type, body, status] of bodies) {
      const encoded = encoders[encoding as keyof typeof encoders](body);
      const headers = { "content-type": type, "content-encoding": encoding };
      expect((await send(server, { path, headers, body: encoded })).status).toBe(status);
    }
  });

  test.each(["zstd", "compress", "gzip, br", "nonsense"])(
    "%s: 415 that names it",
    async (encoding) => {
      for (const path of [chat, "/v1/images"]) {
        const headers = {
          "content-type": path === chat ? "application/json" : "image/png",
          "content-encoding": encoding,
        };
        const { status, text, headers: got } = await send(server, { path, headers, body: "{}" });
        expect([status, got["accept-encoding"]]).toEqual([415, "gzip, deflate, br"]);
        expect(JSON.parse(text).error.message).toContain(`got "${encoding}"`);
      }
    },
  );

  test("a body that is not what it says, or is cut off", async () => {
    const whole = gzipSync(JSON.stringify({ messages }));
    for (const body of ["{}", whole.subarray(0, -10)]) {
      const headers = { ...json, "content-encoding": "gzip" };
      const { status, text } = await send(server, { path: chat, headers, body });
      expect(status).toBe(400);
      expect(JSON.parse(text).error.message).toBe("request body: this is not valid gzip");
    }
  });

  test("a bomb ends at the limit of its content", async () => {
    const body = gzipSync(`"${"x".repeat(200e6)}"`);
    expect(body.length).toBeLessThan(1e6);
    const { status, text } = await send(server, {
      path: chat,
      headers: { ...json, "content-encoding": "gzip" },
      body,
    });
    expect([status, JSON.parse(text).error.code]).toEqual([413, "request_too_large"]);
  });
});

describe("32 MB of small things", () => {
  const keys = (count: number) => Array.from({ length: count }, (_, i) => `"k${i}":"v"`).join(",");
  const many = 2_000_000;
  const asking = (field: string) => `{"messages":[{"role":"user","content":"hi"}],${field}}`;
  test.each<[string, string, () => string]>([
    ["keys", chat, () => `{${keys(many)}}`],
    ["metadata", chat, () => asking(`"metadata":{${keys(many)}}`)],
    ["a bias", chat, () => asking(`"logit_bias":{${keys(many)}}`)],
    [
      "a schema",
      chat,
      () =>
        asking(
          `"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{${keys(many)}}}}`,
        ),
    ],
    ["a notebook's files", "/v1/notebooks", () => `{"markdown":"x","files":{${keys(many)}}}`],
    ["lists", chat, () => `{"messages":[${"[],".repeat(5_000_000)}[]]}`],
    ["numbers", "/v1/detokenize", () => `{"ids":[${"1,".repeat(15_000_000)}1]}`],
    ["nesting", chat, () => "[".repeat(30_000_000)],
    ["backslashes", chat, () => `"${"\\".repeat(30_000_000)}`],
  ])("%s: refused, and nobody waits for it", async (_, path, body) => {
    const bytes = Buffer.from(body());
    let longest = 0;
    const asked = new AbortController();
    const answered = asked.signal;
    const others = (async () => {
      while (!answered.aborted) {
        const began = performance.now();
        await send(server, { path: "/health", method: "GET", headers: {} });
        longest = Math.max(longest, performance.now() - began);
      }
    })();
    const { status } = await send(server, { path, body: bytes });
    asked.abort();
    await others;
    expect(status).toBe(400);
    // Generous: it was 33 s, and this is a loaded machine in the same process.
    expect(longest).toBeLessThan(3000);
  });

  const biasOf = (tokens: number) =>
    JSON.stringify(Object.fromEntries(Array.from({ length: tokens }, (_, id) => [id, -1])));

  test("as much as a request can mean is quick, and answered by name", async () => {
    for (const field of [
      `"metadata":{${keys(17)}}`,
      `"logit_bias":{${keys(50_000)}}`,
      `"user":[${"1,".repeat(50_000)}1]`,
      // Of every token, which nobody needs: 300 is what other servers take, too.
      `"logit_bias":${biasOf(51_200)}`,
    ]) {
      const { status } = await send(server, { path: chat, body: asking(field) });
      expect(status).toBe(400);
    }
    const { status } = await send(server, {
      path: chat,
      body: asking(`"logit_bias":${biasOf(300)}`),
    });
    expect(status).toBe(200);
  });
});
