/** Callers who leave, and a server that goes. */
import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { createFakeEngine } from "../src/testing/fakeEngine.ts";
import { send, testServer } from "./testServer.ts";
import type { TestServer } from "./testServer.ts";

const path = "/v1/chat/completions";
const body = (stream: boolean) =>
  JSON.stringify({
    messages: [{ role: "user", content: "a rather long answer".repeat(5) }],
    stream,
  });

/** Sends a request, waits for the first byte of an answer if it streams, and drops the connection. */
function dropped({ port }: TestServer, stream: boolean, reset: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    const drop = () => {
      if (reset) socket.resetAndDestroy();
      else socket.destroy();
    };
    socket.on("error", reject);
    socket.on("close", () => resolve());
    if (stream) socket.once("data", drop);
    const text = body(stream);
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
      () => {
        if (!stream) setTimeout(drop, 20);
      },
    );
  });
}

test.each([
  ["streaming, closed", true, false],
  ["streaming, reset", true, true],
  ["waiting, closed", false, false],
  ["waiting, reset", false, true],
])("a dropped socket frees its place: %s", async (_, stream, reset) => {
  const engine = createFakeEngine({ tokenMs: 5, places: 4 });
  await using server = await testServer(engine);
  await Promise.all(Array.from({ length: 12 }, () => dropped(server, stream, reset)));
  await expect.poll(() => [engine.status().running, engine.status().queued]).toEqual([0, 0]);
  expect((await fetch(`${server.url}/v1/models`)).status).toBe(200);
});

test("a connection on which nothing moves is closed, and its place is free", async () => {
  const engine = createFakeEngine({ tokenMs: 300 });
  await using server = await testServer(engine, { silenceMs: 100 });
  await expect(send(server, { path, body: body(false) })).rejects.toThrow("socket hang up");
  await expect.poll(() => engine.status().running).toBe(0);
});

test("a shutdown finishes what runs, refuses what comes, then lets go", async () => {
  const engine = createFakeEngine({ tokenMs: 5 });
  const server = await testServer(engine);
  const running = await fetch(server.url + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: body(true),
  });
  const keptAlive = connect(server.port, "127.0.0.1");
  await once(keptAlive, "connect");
  const closing = server.close(10_000);
  const answer = await running.text();
  expect(answer.trimEnd().endsWith("data: [DONE]")).toBe(true);
  await closing;
  keptAlive.destroy();
  await expect(send(server, { path: "/health", method: "GET" })).rejects.toThrow("ECONNREFUSED");
});

test("a shutdown closes the door at once, but not on who is inside", async () => {
  const engine = createFakeEngine({ tokenMs: 5 });
  const server = await testServer(engine);
  const socket = connect(server.port, "127.0.0.1");
  let answers = "";
  socket.on("data", (chunk) => (answers += chunk));
  const text = body(true);
  const head = `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n`;
  socket.write(head + text);
  await expect.poll(() => answers).toContain("data:");
  const closing = server.close(10_000);
  await expect(fetch(`${server.url}/ready`)).rejects.toThrow("fetch failed");
  await closing;
  await expect.poll(() => answers.slice(-300)).toContain("[DONE]");
});

test("a shutdown cuts off what does not finish in its time", async () => {
  const engine = createFakeEngine({ tokenMs: 50 });
  const server = await testServer(engine);
  const running = await fetch(server.url + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: body(true),
  });
  await server.close(20);
  await expect(running.text()).rejects.toThrow("terminated");
  await expect.poll(() => engine.status().running).toBe(0);
});

test("200 clients at once: each is answered in full, with its own text, or told to come back", async () => {
  const engine = createFakeEngine({ tokenMs: 1, places: 8, queueLimit: 64 });
  await using server = await testServer(engine, {
    config: { limits: { concurrencyPerKey: 1000 } },
  });
  const outcomes = await Promise.all(
    Array.from({ length: 200 }, async (_, i) => {
      const response = await fetch(server.url + path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          messages: [{ role: "user", content: `c${i}` }],
          stream: true,
        }),
      });
      const text = await response.text();
      if (response.status === 503) return response.headers.get("retry-after") ? "refused" : "lost";
      const said = [...text.matchAll(/"content":"([^"]*)"/g)].map(([, part]) => part).join("");
      return response.status === 200 && said === `c${i} [0]` && text.includes("[DONE]")
        ? "answered"
        : "lost";
    }),
  );
  expect(outcomes).not.toContain("lost");
  expect(outcomes.filter((outcome) => outcome === "answered").length).toBeGreaterThanOrEqual(72);
  expect(engine.status()).toMatchObject({ running: 0, queued: 0 });
});
