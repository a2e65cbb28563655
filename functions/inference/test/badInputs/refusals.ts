/** Bad requests to a real listening server, and the exact answer to each. */
import { expect } from "vitest";
import { errorCodes } from "@tinygptv/protocol/http";
import type { ApiErrorCode } from "@tinygptv/protocol/http";
import { createFakeEngine } from "../../src/testing/fakeEngine.ts";
import { send, testServer } from "../testServer.ts";
import type { TestServer } from "../testServer.ts";

export const chat = "/v1/chat/completions";
export const user = (content: unknown) => ({ role: "user", content });
export const messages = [user("hi")];

export type BadRequest = [
  name: string,
  path: string,
  body: unknown,
  code: ApiErrorCode,
  param?: unknown,
];

/** One with small limits, so that little is too much. */
export const openServer = (): Promise<TestServer> =>
  testServer(createFakeEngine(), {
    headMs: 400,
    config: { limits: { bodyBytes: 20_000, bodyMs: 300, imageBytes: 5000, imagesPerRequest: 3 } },
  });

/** The answer has the code, its status and the parameter at fault, and says nothing of our files. */
export async function expectRefusal(
  server: TestServer,
  ...[, path, body, code, param]: BadRequest
): Promise<void> {
  const bytes =
    typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
  const { status, text } = await send(server, { path, body: bytes });
  const { error } = JSON.parse(text);
  expect({ status, code: error.code }).toEqual({ status: errorCodes[code][0], code });
  expect(error).toMatchObject({
    type: errorCodes[code][1],
    ...(param === undefined ? {} : { param }),
  });
  expect(text).not.toMatch(/node_modules|functions\/|\.ts\b/);
}

/** After all that, a good request is answered. */
export async function expectAnswer(server: TestServer): Promise<void> {
  expect((await send(server, { path: chat, body: JSON.stringify({ messages }) })).status).toBe(200);
}
