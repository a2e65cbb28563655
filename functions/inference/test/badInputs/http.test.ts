/** What is not HTTP, or stops in the middle of it. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { chat, openServer } from "./refusals.ts";
import { sendRaw } from "../testServer.ts";
import type { TestServer } from "../testServer.ts";

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
});
afterAll(() => server[Symbol.asyncDispose]());

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
