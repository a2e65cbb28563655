/** Connections that are no good, on a real listening server. */
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createActivity } from "../src/activity.ts";
import { createFakeEngine } from "../src/testing/fakeEngine.ts";
import { sendRaw, testServer } from "./testServer.ts";
import type { TestServer } from "./testServer.ts";

const path = "/v1/chat/completions";
const engine = createFakeEngine({ tokenMs: 10 });
let server: TestServer;
beforeAll(async () => {
  server = await testServer(engine, {
    headMs: 200,
    bodyMs: 400,
    config: { keys: ["first-key", "second-key"], limits: { bodyBytes: 100_000, bodyMs: 400 } },
  });
});
afterAll(() => server[Symbol.asyncDispose]());

/** A socket that never closes its own half, and what it has received. */
function stubborn(text: string, port = server.port): { socket: Socket; received: () => string } {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  let received = "";
  socket.on("data", (chunk) => (received += chunk));
  socket.on("error", () => {});
  socket.write(text);
  return { socket, received: () => received };
}
const closed = ({ socket }: { socket: Socket }) =>
  new Promise<void>((resolve) => {
    if (socket.destroyed) resolve();
    else socket.once("close", () => resolve());
  });
/** Sends a byte every few milliseconds until the connection is gone. */
function trickle(socket: Socket): void {
  const timer = setInterval(() => socket.write("x"), 20);
  socket.once("close", () => clearInterval(timer));
}
const post = (headers: string) =>
  `POST ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer first-key\r\ncontent-type: application/json\r\n${headers}\r\n`;

test.each([
  ["says nothing", ""],
  ["stops in the head", `POST ${path} HTTP/1.1\r\nhost: loc`],
  ["stops in the body", `${post("content-length: 100\r\n")}{"mess`],
  ["is not HTTP", "hello\r\n\r\n"],
])("who %s is answered and cut off, even if he ignores it", async (_, text) => {
  const client = stubborn(text);
  await once(client.socket, "end");
  expect(client.received()).toMatch(/^HTTP\/1.1 40[08] /);
  // What is written now finds nobody: the descriptor is free.
  trickle(client.socket);
  await closed(client);
});

test("a GET whose body trickles is answered and cut off", async () => {
  const client = stubborn(
    "GET /health HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n",
  );
  trickle(client.socket);
  await closed(client);
  expect(client.received()).toMatch(/^HTTP\/1.1 200 /);
});

test.each([
  ["no host", "GET /health HTTP/1.1\r\n\r\n", 400, /host: this header is required/],
  ["a host that is none", "GET /health HTTP/1.1\r\nhost: a b\r\n\r\n", 400, /request: /],
  ["OPTIONS *", "OPTIONS * HTTP/1.1\r\nhost: localhost\r\n\r\n", 400, /request: /],
  [
    "an expectation",
    "GET /health HTTP/1.1\r\nhost: localhost\r\nexpect: tea\r\n\r\n",
    417,
    /expect: want 100-continue, got "tea"/,
  ],
  ["a tunnel", "CONNECT a.example:443 HTTP/1.1\r\nhost: a.example\r\n\r\n", 405, /CONNECT/],
  [
    "a head too large",
    `GET /health HTTP/1.1\r\nhost: localhost\r\nx: ${"x".repeat(20_000)}\r\n\r\n`,
    431,
    /headers/,
  ],
])("%s has the shape of all errors, and an id", async (_, text, status, message) => {
  const answer = await sendRaw(server, text, { end: true });
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(answer).toMatch(/x-request-id: [0-9a-f-]{36}/i);
  expect(JSON.parse(answer.slice(answer.indexOf("{"))).error).toMatchObject({
    type: "invalid_request_error",
    message: expect.stringMatching(message),
  });
});

test("a refusal before the body is in reaches a slow uploader, who is not reset", async () => {
  for (const [headers, status] of [
    ["authorization: Bearer wrong-key\r\ncontent-length: 5000\r\n", 401],
    ["authorization: Bearer first-key\r\ncontent-length: 500000\r\n", 413],
  ] as const) {
    const client = stubborn(
      `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${headers}\r\n`,
    );
    let failed: Error | undefined;
    client.socket.on("error", (error) => (failed = error));
    for (let sent = 0; sent < 20; sent += 1) {
      client.socket.write("x".repeat(250));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(failed).toBeUndefined();
    expect(client.received()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    client.socket.destroy();
  }
});

test.each([
  ["asks for the connection to end", false, "connection: close\r\n", 401],
  ["comes to a server that shuts down", true, "", 503],
])("nor is a slow uploader who %s", async (_, isDraining, headers, status) => {
  const activity = createActivity();
  await using own = await testServer(createFakeEngine(), {
    activity,
    config: { keys: ["first-key"] },
  });
  if (isDraining) void activity.drain();
  const key = isDraining ? "first-key" : "wrong-key";
  const client = stubborn(
    `POST ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\n${headers}content-length: 5000\r\n\r\n`,
    own.port,
  );
  let failed: Error | undefined;
  client.socket.on("error", (error) => (failed = error));
  for (let sent = 0; sent < 20; sent += 1) {
    client.socket.write("x".repeat(250));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(failed).toBeUndefined();
  expect(client.received()).toMatch(new RegExp(`^HTTP/1.1 ${status} .*connection: close`, "is"));
  await expect.poll(() => client.socket.readableEnded).toBe(true);
  client.socket.destroy();
});

test("a connection that rests is used again, and closed after its time", async () => {
  await using own = await testServer(createFakeEngine(), { keepAliveMs: 300 });
  const get = "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";
  const client = stubborn(get, own.port);
  await expect.poll(client.received).toContain('"ok"');
  await new Promise((resolve) => setTimeout(resolve, 100));
  client.socket.write(get);
  await expect.poll(() => client.received().split('"ok"').length).toBe(3);
  await once(client.socket, "end");
  client.socket.destroy();
});

test("a connection at rest is kept as long as the answer says, and longer than a proxy keeps it", async () => {
  await using own = await testServer(createFakeEngine());
  const answer = await sendRaw(
    own,
    "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\nGET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
  );
  expect(Number(/keep-alive: timeout=(\d+)/i.exec(answer)?.[1])).toBeGreaterThan(60);
});

test("who has closed his half still gets his answer, who has gone does not hold a place", async () => {
  const content = "a rather long answer ".repeat(4);
  const body = JSON.stringify({ messages: [{ role: "user", content }] });
  const text = `${post(`connection: close\r\ncontent-length: ${body.length}\r\n`)}${body}`;
  const answer = await sendRaw(server, text, { end: true });
  expect(answer).toMatch(/^HTTP\/1.1 (?:102 Processing\r\n\r\nHTTP\/1.1 )*200 OK/);
  expect(answer).toContain('"finish_reason":"stop"');
});

test("connections have a bound, and those that rest make place", async () => {
  await using small = await testServer(createFakeEngine(), { connections: 2 });
  const get = "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";
  const resting = [stubborn(get, small.port), stubborn(get, small.port)];
  for (const { received } of resting) await expect.poll(received).toContain('"ok"');
  const third = stubborn(get, small.port);
  for (const { socket } of [third, ...resting]) {
    await expect
      .poll(() => socket.readableEnded || socket.destroyed, { timeout: 10_000 })
      .toBe(true);
    socket.destroy();
  }
  const fourth = stubborn(get, small.port);
  await expect.poll(fourth.received).toContain('"ok"');
  fourth.socket.destroy();
});
