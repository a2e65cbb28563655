/** The endpoint while its engine process is stopped: it neither runs nor ends. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Engine } from "@tinygptv/protocol";
import type { ChatResponse, Health } from "@tinygptv/protocol/http";
import { createNanoEngine, enginePid } from "./nano.ts";
import { testServer } from "./testServer.ts";
import type { TestServer } from "./testServer.ts";

let engine: Engine;
let server: TestServer;
beforeAll(async () => {
  engine = createNanoEngine({ hangTimeout: 12_000 });
  server = await testServer(engine);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await engine.close();
});

const ask = (n: number) =>
  fetch(`${server.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: `What is ${n}?` }], max_tokens: 4 }),
  });
const ready = async () => (await fetch(`${server.url}/ready`)).status;
const state = async () => {
  const began = performance.now();
  const response = await fetch(`${server.url}/health`);
  expect(response.status).toBe(200);
  expect(performance.now() - began).toBeLessThan(2000);
  return ((await response.json()) as Health).engine.state;
};
const secondsUntil = async (condition: () => Promise<boolean>) => {
  const began = performance.now();
  await expect.poll(condition, { timeout: 40_000, interval: 50 }).toBe(true);
  return (performance.now() - began) / 1000;
};

test("a stopped engine that is woken in time goes on with what it has", async () => {
  await secondsUntil(async () => (await ready()) === 200);
  const pid = await enginePid();
  process.kill(pid, "SIGSTOP");
  const waiting = ask(1);
  expect(await secondsUntil(async () => (await ready()) === 503)).toBeLessThan(10);
  expect(await state()).toBe("unresponsive");
  process.kill(pid, "SIGCONT");
  expect((await waiting).status).toBe(200);
  await secondsUntil(async () => (await ready()) === 200);
  expect(await enginePid()).toBe(pid);
}, 60_000);

test("one that stays so is replaced: what is in flight gets its error, what comes is answered", async () => {
  const pid = await enginePid();
  process.kill(pid, "SIGSTOP");
  const inFlight = [ask(2), ask(3)];
  expect(await secondsUntil(async () => (await ready()) === 503)).toBeLessThan(10);
  for (const pending of inFlight) {
    const response = await pending;
    expect([response.status, await response.json()]).toMatchObject([
      503,
      { error: { code: "engine_failed" } },
    ]);
    await state();
  }
  const { choices } = (await (await ask(4)).json()) as ChatResponse;
  expect(choices).toHaveLength(1);
  expect(await ready()).toBe(200);
  expect(await enginePid()).not.toBe(pid);
}, 60_000);
