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

test("every answer has a request id and secure headers", async () => {
  const { app } = testApp();
  const mine = await app.request("/v1/models", { headers: { "x-request-id": "my-id-1" } });
  expect(mine.headers.get("x-request-id")).toBe("my-id-1");
  const other = await app.request("/nothing", { headers: { "x-request-id": "no good id" } });
  expect(other.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  expect(other.headers.get("x-content-type-options")).toBe("nosniff");
});
