/** Conversations that are none. */
import { afterAll, beforeAll, test } from "vitest";
import { chat, messages, user, expectAnswer, expectRefusal, openServer } from "./refusals.ts";
import type { BadRequest } from "./refusals.ts";
import type { TestServer } from "../testServer.ts";

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
});
afterAll(() => server[Symbol.asyncDispose]());

test.each<BadRequest>([
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
])("%s", (...refused) => expectRefusal(server, ...refused));

test("the server lives on", () => expectAnswer(server));
