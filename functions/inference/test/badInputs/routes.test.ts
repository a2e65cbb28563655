/** Requests to the other routes. */
import { afterAll, beforeAll, test } from "vitest";
import { messages, expectAnswer, expectRefusal, openServer } from "./refusals.ts";
import type { BadRequest } from "./refusals.ts";
import type { TestServer } from "../testServer.ts";

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
});
afterAll(() => server[Symbol.asyncDispose]());

test.each<BadRequest>([
  ["compare without models", "/v1/compare", { messages }, "missing_required_parameter", "models"],
  [
    "compare with a bad set",
    "/v1/compare",
    { models: ["fake"], messages, parameter_sets: [{ top_k: -1 }] },
    "invalid_value",
    "parameter_sets[0].top_k",
  ],
  [
    "score without candidates",
    "/v1/score",
    { messages },
    "missing_required_parameter",
    "candidates",
  ],
  [
    "score of no candidates",
    "/v1/score",
    { messages, candidates: [] },
    "invalid_value",
    "candidates",
  ],
  ["tokenize a number", "/v1/tokenize", { text: 7 }, "invalid_type", "text"],
  ["detokenize a negative id", "/v1/detokenize", { ids: [-1] }, "invalid_value", "ids[0]"],
  ["preprocess nothing", "/v1/preprocess", {}, "missing_required_parameter", "image"],
  [
    "preprocess a local file",
    "/v1/preprocess",
    { image: "file:///etc/hosts" },
    "invalid_image_url",
    "image",
  ],
  ["an empty notebook", "/v1/notebooks", { markdown: "" }, "invalid_value", "markdown"],
  [
    "a notebook's file that climbs",
    "/v1/notebooks",
    { markdown: "x", files: { "../x": "AAAA" } },
    "invalid_value",
    "files.../x",
  ],
  [
    "a notebook's file that is not base64",
    "/v1/notebooks",
    { markdown: "x", files: { x: "?" } },
    "invalid_value",
    "files.x",
  ],
  ["a route nobody has", "/v1/completions", {}, "not_found", null],
])("%s", (...refused) => expectRefusal(server, ...refused));

test("the server lives on", () => expectAnswer(server));
