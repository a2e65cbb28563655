import { pino } from "pino";
import { expect, test, vi } from "vitest";
import {
  healthSchema,
  modelListSchema,
  notebookCreatedSchema,
  notebookObjectSchema,
} from "@tinygptv/protocol/http";
import { createActivity } from "../activity.ts";
import { createFakeEngine } from "../testing/fakeEngine.ts";
import { memoryStore } from "../store/memoryStore.ts";
import { dataUrl, redPixel } from "../testing/pictures.ts";
import { testApp } from "../testing/testApp.ts";

test("lists every level, and shows one by id or name", async () => {
  const { app } = testApp();
  const list = modelListSchema.parse(await (await app.request("/v1/models")).json());
  expect(list.data.map(({ id }) => id)).toEqual(["fake:fp32", "fake:int8", "fake:int4"]);
  expect(list.data[0]).toMatchObject({
    loaded: true,
    execution_provider: "cpu",
    execution: null,
    copies: "ready",
  });
  expect(list.data[1]).toMatchObject({ loaded: false, copies: null });
  expect(await (await app.request("/v1/models/fake")).json()).toEqual(list.data[0]);
  expect(await (await app.request("/v1/models/fake:int4")).json()).toEqual(list.data[2]);
  const missing = await app.request("/v1/models/gpt-4");
  expect(missing.status).toBe(404);
  expect(await missing.json()).toMatchObject({ error: { code: "model_not_found", param: "id" } });
});

test("a shared notebook has an id of its own and is open to all who know it", async () => {
  const { app, post } = testApp({ config: { keys: ["secret-key"] } });
  const notebook = { title: "First", markdown: "# Hello", files: { "a.png": "aGk=" } };
  const headers = { authorization: "Bearer secret-key" };
  expect((await post("/v1/notebooks", notebook)).status).toBe(401);
  const share = async () =>
    notebookCreatedSchema.parse(await (await post("/v1/notebooks", notebook, headers)).json());
  const [first, second] = [await share(), await share()];
  expect(first.id).not.toBe(second.id);
  const got = await app.request(`/v1/notebooks/${first.id}`);
  expect(notebookObjectSchema.parse(await got.json())).toEqual({ ...first, ...notebook });
  for (const id of ["nb_0", `nb_${"0".repeat(32)}`, "..%2Fimages"]) {
    const missing = await app.request(`/v1/notebooks/${id}`);
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ error: { code: "notebook_not_found" } });
  }
});

test("a shared notebook is deleted by the key that shared it, and bounded", async () => {
  const keys = ["first-key", "second-key"];
  const { app, post } = testApp({ config: { keys, limits: { notebookBytes: 500 } } });
  const authorization = "Bearer first-key";
  const share = (markdown: string) => post("/v1/notebooks", { markdown }, { authorization });
  const { id } = notebookCreatedSchema.parse(await (await share("# Hello")).json());
  const remove = async (key: string) =>
    (
      await app.request(`/v1/notebooks/${id}`, {
        method: "DELETE",
        headers: { authorization: `Bearer ${key}` },
      })
    ).status;
  expect([await remove("second-key"), await remove("first-key")]).toEqual([404, 200]);
  expect((await app.request(`/v1/notebooks/${id}`)).status).toBe(404);
  const large = await share("x".repeat(500));
  expect(large.status).toBe(413);
  expect(await large.json()).toMatchObject({ error: { code: "request_too_large" } });
});

test("a notebook upload that is sent again makes no second copy", async () => {
  const keys = ["first-key", "second-key"];
  const { app, post } = testApp({ config: { keys } });
  const share = (markdown: string, key: string, caller = "first-key") =>
    post(
      "/v1/notebooks",
      { markdown, files: { "a.png": "aGk=" } },
      { authorization: `Bearer ${caller}`, "idempotency-key": key },
    );
  const first = await share("# Hello", "one");
  const again = await share("# Hello", "one");
  const created = notebookCreatedSchema.parse(await first.json());
  expect([first.status, again.status, await again.json()]).toEqual([201, 200, created]);
  const other = await share("# Other", "one");
  expect([other.status, await other.json()]).toMatchObject([
    422,
    { error: { code: "idempotency_key_reused" } },
  ]);
  // Another key, of either kind, is another upload.
  const ids = await Promise.all(
    [await share("# Hello", "two"), await share("# Hello", "one", "second-key")].map(
      async (response) => notebookCreatedSchema.parse(await response.json()).id,
    ),
  );
  expect(new Set([created.id, ...ids]).size).toBe(3);
  // What was deleted can be shared anew.
  const headers = { authorization: "Bearer first-key" };
  await app.request(`/v1/notebooks/${created.id}`, { method: "DELETE", headers });
  expect((await share("# Hello", "one")).status).toBe(201);
});

test("attempts at one notebook upload at once make one copy", async () => {
  const { post } = testApp();
  const headers = { "idempotency-key": "one" };
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => post("/v1/notebooks", { markdown: "# Hello" }, headers)),
  );
  const ids = await Promise.all(
    answers.map(async (one) => notebookCreatedSchema.parse(await one.json()).id),
  );
  expect(new Set(ids).size).toBe(1);
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
});

test("the length of a shared notebook is told before it comes", async () => {
  const { app, post } = testApp();
  const shared = await post("/v1/notebooks", { markdown: "# Grüße" });
  const { id } = notebookCreatedSchema.parse(await shared.json());
  const got = await app.request(`/v1/notebooks/${id}`);
  expect(Number(got.headers.get("content-length"))).toBe((await got.arrayBuffer()).byteLength);
});

test("health tells the engine's state; it answers without a key", async () => {
  const { app, engine } = testApp({ config: { keys: ["secret-key"] } });
  const health = healthSchema.parse(await (await app.request("/health")).json());
  expect(health.engine).toMatchObject({
    state: "ready",
    execution_providers: { "fake:fp32": "cpu" },
  });
  engine.crash();
  expect(await (await app.request("/health")).json()).toMatchObject({
    status: "ok",
    engine: { state: "restarting" },
  });
});

test("ready goes down with the engine and comes back with it", async () => {
  const { app, engine } = testApp();
  const ready = async () => (await app.request("/ready")).status;
  expect(await ready()).toBe(200);
  engine.crash();
  expect(await ready()).toBe(503);
  engine.recover();
  expect(await ready()).toBe(200);
  expect(engine.requests).toHaveLength(2); // one token asked for in each life
});

test("neither health nor ready waits for an engine that gives no answer", async () => {
  const models = () => new Promise<never>(() => {});
  const { app } = testApp({ engine: { ...createFakeEngine({ places: 0 }), models } });
  const began = performance.now();
  expect((await app.request("/health")).status).toBe(200);
  expect(performance.now() - began).toBeLessThan(1000);
  const ready = await app.request("/ready");
  expect([ready.status, await ready.json()]).toEqual([
    503,
    { ready: false, reason: "the model has not answered yet" },
  ]);
});

test("ready says no while the store cannot be written, and yes when it can again", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const held = memoryStore({ maxBytes: 1e6 });
  let full = true;
  const check = async () => {
    if (full) throw new Error("no space");
  };
  const { app } = testApp({ store: { ...held, check } });
  const ready = async () => (await app.request("/ready")).status;
  expect(await ready()).toBe(503);
  full = false;
  vi.advanceTimersByTime(6000);
  expect(await ready()).toBe(200);
  vi.useRealTimers();
});

test("ready says no while the server drains, and new work is refused", async () => {
  const activity = createActivity();
  const { app, post } = testApp({ activity });
  void activity.drain();
  expect((await app.request("/ready")).status).toBe(503);
  const response = await post("/v1/tokenize", { text: "x" });
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ error: { code: "shutting_down" } });
});

test("the log has a line a request, with texts only where asked for, and never a picture", async () => {
  for (const logContent of [false, true]) {
    const lines: string[] = [];
    const log = pino({ level: "info" }, { write: (line: string) => void lines.push(line) });
    const { post } = testApp({ log, config: { keys: ["secret-key"], logContent } });
    const content = [
      { type: "text", text: "what is it?" },
      { type: "image_url", image_url: { url: dataUrl(redPixel) } },
    ];
    const headers = { authorization: "Bearer secret-key", "x-request-id": "mine" };
    await post("/v1/chat/completions", { messages: [{ role: "user", content }] }, headers);
    await post("/v1/chat/completions", { messages: [{ role: "user", content: 7 }] }, headers);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      {
        requestId: "mine",
        caller: "key-1",
        route: "/v1/chat/completions",
        status: 200,
        model: "fake:fp32",
      },
      { status: 400, code: "invalid_type" },
    ]);
    const text = lines.join("");
    expect(text.includes("what is it?")).toBe(logContent);
    expect(text).not.toMatch(/base64|secret-key/);
  }
});

test("refusals of a full server are counted in the log, not told one by one as errors", async () => {
  const lines: { level: number; refused?: number }[] = [];
  const log = pino(
    { level: "info" },
    { write: (line: string) => void lines.push(JSON.parse(line)) },
  );
  const engine = createFakeEngine({ places: 1, queueLimit: 1, tokenMs: 5 });
  const { post } = testApp({ engine, log });
  const ask = (stream: boolean) =>
    post("/v1/chat/completions", { messages: [{ role: "user", content: "hello" }], stream });
  const running = await ask(true);
  const waiting = ask(false);
  await expect.poll(() => engine.status().queued).toBe(1);
  const refused = await Promise.all(Array.from({ length: 20 }, () => ask(false)));
  expect(refused.map(({ status }) => status)).toEqual(Array(20).fill(503));
  await running.text();
  await waiting;
  expect(lines.filter(({ level }) => level >= 50)).toEqual([]);
  expect(lines.filter((line) => line.refused !== undefined)).toHaveLength(1);
});

test("metrics count requests and show the engine", async () => {
  const engine = createFakeEngine();
  const { app, post } = testApp({ engine });
  await post("/v1/chat/completions", { messages: [{ role: "user", content: "abc" }] });
  await post("/v1/chat/completions", {});
  const text = await (await app.request("/metrics")).text();
  expect(text).toContain(
    'tinygptv_http_request_seconds_count{method="POST",route="/v1/chat/completions",status="200"} 1',
  );
  expect(text).toContain('route="/v1/chat/completions",status="400"} 1');
  expect(text).toContain("tinygptv_generated_tokens_total 8");
  expect(text).toContain('tinygptv_time_to_first_token_seconds_count{model="fake:fp32"} 1');
  expect(text).toContain('tinygptv_tokens_per_second_count{model="fake:fp32"} 1');
});

test("the document names every route, and its page asks nobody else", async () => {
  const { app } = testApp();
  const document: {
    servers: unknown;
    paths: Record<string, Record<string, { responses: object }>>;
  } = JSON.parse(await (await app.request("/openapi.json")).text());
  expect(Object.keys(document.paths).toSorted()).toEqual([
    "/health",
    "/metrics",
    "/ready",
    "/v1/chat/completions",
    "/v1/compare",
    "/v1/detokenize",
    "/v1/fine_tuning/estimates",
    "/v1/fine_tuning/jobs",
    "/v1/fine_tuning/jobs/{id}",
    "/v1/fine_tuning/jobs/{id}/cancel",
    "/v1/fine_tuning/jobs/{id}/checkpoints",
    "/v1/fine_tuning/jobs/{id}/events",
    "/v1/fine_tuning/jobs/{id}/resume",
    "/v1/images",
    "/v1/images/{id}",
    "/v1/models",
    "/v1/models/{id}",
    "/v1/notebooks",
    "/v1/notebooks/{id}",
    "/v1/preprocess",
    "/v1/responses",
    "/v1/score",
    "/v1/tokenize",
  ]);
  const { servers, paths } = document;
  expect(servers).toEqual([{ url: "/", description: "This server" }]);
  const statuses = (path: string, method: string) =>
    Object.keys(paths[path]![method]!.responses).filter((status) => status.startsWith("4"));
  expect(statuses("/v1/models", "get")).toEqual(["400", "401", "403", "405", "429"]);
  expect(statuses("/v1/images/{id}", "delete")).toContain("404");
  expect(statuses("/v1/chat/completions", "post")).toEqual(
    expect.arrayContaining(["400", "401", "408", "413", "415", "429"]),
  );
  const page = await app.request("/docs");
  expect(page.headers.get("content-security-policy")).toContain("default-src 'self'");
  const html = await page.text();
  expect(html).not.toMatch(/https?:/);
  for (const [, path] of html.matchAll(/(?:src|href)="([^"]+)"/g))
    expect((await app.request(path!)).status).toBe(200);
});
