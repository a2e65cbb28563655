/** Methods, paths and headers that do not go together. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { errorCodes } from "@tinygptv/protocol/http";
import type { ApiErrorCode } from "@tinygptv/protocol/http";
import { redPixel } from "../../src/testing/pictures.ts";
import { chat, openServer } from "./refusals.ts";
import { send } from "../testServer.ts";
import type { TestServer } from "../testServer.ts";

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const json = { "content-type": "application/json" };
test.each<[string, Parameters<typeof send>[1], ApiErrorCode]>([
  ["a body without type", { path: chat, headers: {}, body: "{}" }, "unsupported_media_type"],
  [
    "a form",
    { path: chat, headers: { "content-type": "text/plain" }, body: "{}" },
    "unsupported_media_type",
  ],
  [
    "a picture as text",
    { path: "/v1/images", headers: { "content-type": "text/plain" }, body: redPixel },
    "unsupported_media_type",
  ],
  [
    "a form without its file",
    {
      path: "/v1/images",
      headers: { "content-type": "multipart/form-data; boundary=x" },
      body: "--x--\r\n",
    },
    "missing_required_parameter",
  ],
  [
    "a form that is none",
    {
      path: "/v1/images",
      headers: { "content-type": "multipart/form-data; boundary=x" },
      body: "hello",
    },
    "invalid_value",
  ],
  [
    "a picture over the limit",
    { path: "/v1/images", headers: { "content-type": "image/png" }, body: new Uint8Array(6000) },
    "image_too_large",
  ],
  [
    "a chunked body over the limit",
    {
      path: chat,
      headers: { ...json, "transfer-encoding": "chunked" },
      body: `"${"x".repeat(21_000)}"`,
    },
    "request_too_large",
  ],
  ["GET where POST is wanted", { path: chat, method: "GET" }, "method_not_allowed"],
  ["DELETE of a model", { path: "/v1/models/fake", method: "DELETE" }, "method_not_allowed"],
  [
    "a picture's path that climbs",
    { path: "/v1/images/../../../etc/passwd", method: "GET" },
    "not_found",
  ],
  [
    "the same in disguise",
    { path: "/v1/images/..%2f..%2f..%2fetc%2fpasswd", method: "GET" },
    "image_not_found",
  ],
  ["a NUL in a handle", { path: "/v1/images/img_%00", method: "GET" }, "image_not_found"],
  ["a broken escape", { path: "/v1/images/%zz", method: "GET" }, "image_not_found"],
  [
    "deleting what is not there",
    { path: `/v1/images/img_${"0".repeat(64)}`, method: "DELETE" },
    "image_not_found",
  ],
  [
    "a page of another site",
    { path: chat, headers: { ...json, origin: "https://evil.example" }, body: "{}" },
    "origin_not_allowed",
  ],
  [
    "a name that is not this machine's",
    { path: chat, headers: { ...json, host: "evil.example" }, body: "{}" },
    "origin_not_allowed",
  ],
  [
    "headers without end",
    { path: chat, headers: { ...json, "x-long": "x".repeat(20_000) }, body: "{}" },
    "headers_too_large",
  ],
])("%s", async (_, sent, code) => {
  const { status, text, headers } = await send(server, sent);
  const { error } = JSON.parse(text);
  expect({ status, code: error.code }).toEqual({ status: errorCodes[code][0], code });
  expect("allow" in headers).toBe(code === "method_not_allowed");
});
