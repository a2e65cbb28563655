import type { Context } from "hono";
import type { Outgoing } from "./attempt.ts";
import { BodyTooLarge, openBody, smallBytes, type Body, type Room } from "./body.ts";
import type { EdgeEnv } from "./edgeEnv.ts";
import { bodyError, errorResponse } from "./errors.ts";
import { findField } from "./jsonField.ts";

/** What origins may know of the client's request; not its key, address or page. */
const passedOn = ["accept", "content-type", "content-encoding", "if-none-match"];

export interface ReadRequest {
  outgoing: Outgoing;
  /** The body, parsed; undefined where it is not JSON, or too large to be looked at. */
  json: unknown;
  /** Models it needs, all from the same origin; none: any origin will do. */
  models: string[];
}

export interface ReadOptions {
  room: Room;
  bodyBytes: number;
  /** Whether it matters which origin has a model. */
  routesByModel: boolean;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads as much of a request as has to be known before it is passed on: a small
 * body whole, so that it can be parsed; of a large one what says its model.
 * @returns a response where it can go nowhere
 */
export async function readRequest(
  c: Context<EdgeEnv>,
  { room, bodyBytes, routesByModel }: ReadOptions,
): Promise<ReadRequest | Response> {
  const { method, raw } = c.req;
  const declared = Number(c.req.header("content-length") ?? 0);
  if (declared > bodyBytes) return bodyError(new BodyTooLarge(bodyBytes));
  const headers = new Headers({
    "x-request-id": c.get("requestId"),
    "accept-encoding": "identity",
  });
  for (const name of passedOn) {
    const value = c.req.header(name);
    if (value !== undefined) headers.set(name, value);
  }
  if (method === "POST") headers.set("idempotency-key", idempotencyKey(c));
  const { pathname, search } = new URL(raw.url);
  const body = raw.body ? openBody(raw.body, room, bodyBytes) : undefined;
  const outgoing = { method, path: pathname + search, headers, body, signal: raw.signal };
  if (!body) return { outgoing, json: undefined, models: modelOfPath(pathname) };

  // What is encoded is not looked into: the origin decodes it, or says that it does not.
  const isJson = isJsonType(headers.get("content-type")) && !headers.has("content-encoding");
  const field = isJson && routesByModel ? findField(["model", "models"]) : undefined;
  const refuse = (response: Response) => {
    body.release();
    return response;
  };
  try {
    const isRead = await body.hold((chunk, size) => {
      const isKnown = field?.push(chunk) ?? true;
      return isKnown && size > smallBytes;
    });
    if (!isRead && field?.isDone === false) return refuse(noRoom());
  } catch (failure) {
    return refuse(bodyError(failure));
  }
  let json: unknown;
  try {
    json = isJson ? parse(body) : undefined;
  } catch {
    return refuse(errorResponse("invalid_json", "body: want JSON in UTF-8, got something else"));
  }
  return { outgoing, json, models: [...namesIn(field?.value), ...modelOfPath(pathname)] };
}

/**
 * The same at every attempt, whichever origin it goes to. To the origins all
 * callers are one, so a caller's own key is told from another caller's.
 */
function idempotencyKey(c: Context<EdgeEnv>): string {
  const given = c.req.header("idempotency-key");
  return given ? `${c.get("caller").name}:${given}` : crypto.randomUUID();
}

/** @throws where it is small enough to be looked at, and no JSON in UTF-8 */
function parse(body: Body): unknown {
  const bytes = body.whole();
  return bytes && JSON.parse(utf8.decode(bytes));
}

function noRoom(): Response {
  const headers = { "retry-after": "1" };
  return errorResponse("queue_full", "the edge holds as many bodies as it can", { headers });
}

/** `application/json`, and what is built on it: `application/problem+json`. */
const isJsonType = (type: string | null) =>
  /^[^\s;]+\/([^\s;]+\+)?json\s*(;|$)/i.test(type?.trim() ?? "");

/** `model`, or the `models` of a comparison; what is not a name is the origin's to refuse. */
function namesIn(value: unknown): string[] {
  return [value].flat().filter((name) => typeof name === "string");
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
