/** What tests of the edge function stand on: real origins, a real runtime, real requests. */
import { afterEach, beforeAll, expect } from "vitest";
import { startOrigin, type Behaviour, type TestOrigin } from "../origin.ts";
import type { RunningEdge, StartEdge } from "../runtimes.ts";

export const anna = { name: "anna", key: "key-of-anna-0123456789" };
export const ben = { name: "ben", key: "key-of-ben-0123456789" };
export const chat = "/v1/chat/completions";
/** A request with one right answer. */
export const greedy = { model: "nano", messages: [{ role: "user", content: "What is it?" }] };

type OriginSettings = { models?: string[]; key?: string };

export interface Bench {
  /** Starts an inference server. */
  origin(behave?: Behaviour): Promise<TestOrigin>;
  /** Starts the edge function before these origins. */
  edge(
    origins: (TestOrigin | [TestOrigin, OriginSettings])[],
    variables?: Record<string, string>,
  ): Promise<RunningEdge>;
}

/** To be called in a `describe`: what a test starts is ended after it. */
export function setUpBench(load: () => Promise<StartEdge>): Bench {
  let startEdge: StartEdge;
  const running: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    startEdge = await load();
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((close) => close()));
  });
  return {
    async origin(behave) {
      const started = await startOrigin(behave);
      running.push(() => started.kill());
      return started;
    },
    async edge(origins, variables) {
      const described = origins.map((one) =>
        Array.isArray(one) ? { url: one[0].url, ...one[1] } : { url: one.url },
      );
      const started = await startEdge({
        EDGE_KEYS: JSON.stringify([anna, ben]),
        EDGE_ORIGINS: JSON.stringify(described),
        ...variables,
      });
      running.push(() => started.close());
      return started;
    },
  };
}

interface PostOptions {
  headers?: Record<string, string>;
  path?: string;
  signal?: AbortSignal;
}

/** Anna asks. */
export function post(
  at: RunningEdge,
  body: string | object | Uint8Array<ArrayBuffer>,
  options: PostOptions = {},
): Promise<Response> {
  const { headers, path = chat, signal } = options;
  return fetch(at.url + path, {
    method: "POST",
    headers: {
      authorization: `Bearer ${anna.key}`,
      "content-type": "application/json",
      ...headers,
    },
    body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body),
    signal,
  });
}

export function get(at: RunningEdge, path: string): Promise<Response> {
  return fetch(at.url + path, { headers: { authorization: `Bearer ${anna.key}` } });
}

/** Status and code of an error, which has OpenAI's shape. */
export async function errorOf(response: Response): Promise<[number, string]> {
  const { error } = (await response.json()) as { error: { code: string } };
  expect(error).toEqual({
    message: expect.any(String),
    type: expect.any(String),
    param: null,
    code: error.code,
  });
  return [response.status, error.code];
}
