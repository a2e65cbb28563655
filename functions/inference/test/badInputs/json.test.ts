/** Bodies that are not what they say, or no object. */
import { afterAll, beforeAll, test } from "vitest";
import { chat, user, expectAnswer, expectRefusal, openServer } from "./refusals.ts";
import type { BadRequest } from "./refusals.ts";
import type { TestServer } from "../testServer.ts";

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
});
afterAll(() => server[Symbol.asyncDispose]());

test.each<BadRequest>([
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
])("%s", (...refused) => expectRefusal(server, ...refused));

test("the server lives on", () => expectAnswer(server));
