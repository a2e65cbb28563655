import { expect, test } from "vitest";
import { createFakeEngine } from "../testing/fakeEngine.ts";
import { testApp } from "../testing/testApp.ts";

const keys = ["first-key", "second-key"];
const withKeys = () => testApp({ config: { keys } }).app;

test.each(keys)("every configured key is let in: %s", async (key) => {
  const response = await withKeys().request("/v1/models", {
    headers: { authorization: `Bearer ${key}` },
  });
  expect(response.status).toBe(200);
});

test.each([
  undefined,
  "Bearer first-ke",
  "Bearer first-keyy",
  "Bearer ",
  "Basic Zmlyc3Qta2V5",
  "first-key",
])("authorization %j is a 401", async (authorization) => {
  for (const path of ["/v1/models", "/metrics", "/v1/nothing"]) {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const response = await withKeys().request(path, { headers });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toMatch(/^Bearer/);
    expect(await response.json()).toMatchObject({
      error: { code: "invalid_api_key", type: "authentication_error", param: null },
    });
  }
});

test("a share of places is a key's own", async () => {
  const engine = createFakeEngine({ tokenMs: 10 });
  const { post } = testApp({ engine, config: { keys, limits: { concurrencyPerKey: 1 } } });
  const ask = (key: string, stream: boolean) =>
    post(
      "/v1/chat/completions",
      { messages: [{ role: "user", content: "hello" }], stream },
      { authorization: `Bearer ${key}` },
    );
  const running = await ask("first-key", true);
  expect((await ask("first-key", false)).status).toBe(429);
  expect((await ask("second-key", false)).status).toBe(200);
  await running.text();
});

test("without keys only this machine's own names are answered", async () => {
  const { app } = testApp();
  for (const host of ["localhost", "127.0.0.1", "[::1]", "playground.localhost"])
    expect((await app.request(`http://${host}/v1/models`)).status).toBe(200);
  for (const host of ["evil.example", "localhost.evil.example", "192.168.1.5"]) {
    const response = await app.request(`http://${host}/v1/models`);
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error: { code: "origin_not_allowed" } });
  }
});

test("pages of the allow-list and the server's own may call, others not", async () => {
  const { app } = testApp({ config: { corsOrigins: ["https://app.example"] } });
  const ask = (origin: string, method = "GET") =>
    app.request("/v1/models", {
      method,
      headers: { origin, "access-control-request-method": "POST" },
    });
  const allowed = await ask("https://app.example");
  expect(allowed.status).toBe(200);
  expect(allowed.headers.get("access-control-allow-origin")).toBe("https://app.example");
  expect((await ask("https://app.example", "OPTIONS")).status).toBe(204);
  expect((await ask("http://localhost")).status).toBe(200);
  for (const origin of ["https://evil.example", "null", "https://app.example.evil.example"]) {
    const refused = await ask(origin);
    expect(refused.status).toBe(403);
    expect(refused.headers.get("access-control-allow-origin")).toBeNull();
  }
});

test.each(["chrome-extension://abcdefgh", "app://obsidian.md"])(
  "pages of %s may call where they are listed, and `null` still may not",
  async (listed) => {
    const { app } = testApp({ config: { corsOrigins: [listed] } });
    const ask = (origin: string) => app.request("/v1/models", { headers: { origin } });
    const allowed = await ask(listed);
    expect(allowed.status).toBe(200);
    expect(allowed.headers.get("access-control-allow-origin")).toBe(listed);
    expect((await ask("null")).status).toBe(403);
  },
);

test("a page of an allowed origin may send what headers it asks for", async () => {
  const { app } = testApp({ config: { corsOrigins: ["https://app.example"] } });
  const wanted = "authorization,content-type,x-stainless-lang,traceparent,openai-beta";
  const headers = {
    "access-control-request-method": "POST",
    "access-control-request-headers": wanted,
  };
  const ask = (origin: string) =>
    app.request("/v1/chat/completions", { method: "OPTIONS", headers: { ...headers, origin } });
  const allowed = await ask("https://app.example");
  expect(allowed.headers.get("access-control-allow-headers")).toBe(wanted);
  expect(
    (await ask("https://evil.example")).headers.get("access-control-allow-headers"),
  ).toBeNull();
  const answer = await app.request("/v1/models", { headers: { origin: "https://app.example" } });
  expect(answer.headers.get("access-control-expose-headers")).toContain("x-request-id");
});

test("the server's own pages may call, whatever is in front of it", async () => {
  const { app } = testApp({ config: { keys } });
  const ask = async (headers: Record<string, string>, url = "http://ai.example/v1/models") =>
    (await app.request(url, { headers: { authorization: `Bearer ${keys[0]}`, ...headers } }))
      .status;
  // TLS ends at a proxy that passes the host on.
  expect(await ask({ origin: "https://ai.example" })).toBe(200);
  expect(await ask({ origin: "https://ai.example:8443" }, "http://ai.example:8443/v1/models")).toBe(
    200,
  );
  // One that does not.
  const inner = "http://10.0.0.7:8000/v1/models";
  expect(await ask({ origin: "https://ai.example", "sec-fetch-site": "same-origin" }, inner)).toBe(
    200,
  );
  for (const [origin, site] of [
    ["https://ai.example", "same-site"],
    ["https://ai.example", "cross-site"],
    ["null", "same-origin"],
  ] as const)
    expect(await ask({ origin, "sec-fetch-site": site }, inner)).toBe(403);
  expect(await ask({ origin: "https://ai.example:444" })).toBe(403);
});

test("paths that are nearly right are told what is", async () => {
  const { app, post } = testApp();
  const tell = async (path: string) => {
    const response = await post(path, {});
    expect(response.status).toBe(404);
    return (JSON.parse(await response.text()) as { error: { message: string } }).error.message;
  };
  expect(await tell("/v1/responses/resp_1/cancel")).toMatch(
    /not stored: want POST \/v1\/responses/,
  );
  for (const path of ["/chat/completions", "/v1/v1/chat/completions", "/api/chat/completions"])
    expect(await tell(path)).toMatch(
      /want \/v1\/chat\/completions; the base URL for clients is http:\/\/localhost\/v1/,
    );
  expect((await app.request("/models")).status).toBe(404);
});

test("every answer has a request id and secure headers", async () => {
  const { app } = testApp();
  const mine = await app.request("/v1/models", { headers: { "x-request-id": "my-id-1" } });
  expect(mine.headers.get("x-request-id")).toBe("my-id-1");
  const other = await app.request("/nothing", { headers: { "x-request-id": "no good id" } });
  expect(other.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  expect(other.headers.get("x-content-type-options")).toBe("nosniff");
});
