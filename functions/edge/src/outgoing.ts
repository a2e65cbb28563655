import type { Context } from "hono";
import type { Outgoing } from "./attempt.ts";
import type { EdgeEnv } from "./edgeEnv.ts";

/** What origins may know of the client's request; not its key, address or page. */
const passedOn = ["accept", "content-type", "if-none-match"];

export interface ReadRequest {
  outgoing: Outgoing;
  /** The body, parsed; undefined where it is not JSON. */
  json: unknown;
  /** Models it needs, all from the same origin; none: any origin will do. */
  models: string[];
}

/**
 * Reads a request whole, as it may have to be sent more than once.
 * @throws SyntaxError where a body is called JSON and is none
 */
export async function readRequest(c: Context<EdgeEnv>): Promise<ReadRequest> {
  const { method, raw } = c.req;
  const headers = new Headers({
    "x-request-id": c.get("requestId"),
    "accept-encoding": "identity",
  });
  for (const name of passedOn) {
    const value = c.req.header(name);
    if (value !== undefined) headers.set(name, value);
  }
  const body = raw.body ? await c.req.arrayBuffer() : undefined;
  const isJson = /^application\/json\b/i.test(headers.get("content-type") ?? "");
  const json: unknown = body && isJson ? JSON.parse(new TextDecoder().decode(body)) : undefined;
  const { pathname, search } = new URL(raw.url);
  return {
    outgoing: { method, path: pathname + search, headers, body, signal: raw.signal },
    json,
    models: [...modelsOfBody(json), ...modelOfPath(pathname)],
  };
}

/** `model`, or the `models` of a comparison; what is not a name is the origin's to refuse. */
function modelsOfBody(json: unknown): string[] {
  const { model, models } = (json ?? {}) as { model?: unknown; models?: unknown };
  return [model, models].flat().filter((name) => typeof name === "string");
}

function modelOfPath(pathname: string): string[] {
  const [, id] = /^\/v1\/models\/([^/]+)$/.exec(pathname) ?? [];
  if (id === undefined) return [];
  try {
    return [decodeURIComponent(id)];
  } catch {
    return [id]; // no model is called that: the answer is 404
  }
}
