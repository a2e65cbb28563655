import { errorResponse } from "./errors.ts";
import { openExchange, type Exchange } from "./exchange.ts";
import type { Origin, Origins } from "./origins.ts";
import { relayEvents } from "./relayEvents.ts";
import { relayedHeaders } from "./relayedHeaders.ts";

/** A request as origins get it; its body is at hand, so that a second one can have it too. */
export interface Outgoing {
  method: string;
  /** With its query. */
  path: string;
  headers: Headers;
  body: ArrayBuffer | undefined;
  /** Fires when the client goes away. */
  signal: AbortSignal | undefined;
}

export interface Attempt {
  /**
   * - `answered`: this is the answer
   * - `refused`: the origin has no place now; the response says so
   * - `absent`: nothing that understands us is there; the response is ours
   *
   * After the last two nothing is with the client yet, and another origin may do better.
   */
  outcome: "answered" | "refused" | "absent";
  response: Response;
}

export interface AttemptOptions {
  fetch: typeof fetch;
  origins: Origins;
  originTimeoutMs: number;
}

/** No place, or something in front of a dead server: 520 to 530 are Cloudflare's. */
const isRefusal = (status: number) =>
  status === 429 || status === 502 || status === 503 || (status >= 520 && status <= 530);

const isOfType = (type: string, headers: Headers) =>
  headers.get("content-type")?.startsWith(type) ?? false;

/**
 * One request to one origin. Streams of events are passed on as they come; all
 * else is read whole, so that an origin that dies in the middle of it has sent
 * the client nothing. The client's leaving ends the request at the origin.
 */
export async function attempt(
  origin: Origin,
  { method, path, headers, body, signal }: Outgoing,
  { fetch, origins, originTimeoutMs }: AttemptOptions,
): Promise<Attempt> {
  const exchange = openExchange(origin, signal, originTimeoutMs);
  const request = { method, headers: withKey(headers, origin), body, redirect: "manual" as const };
  try {
    const answer = await fetch(origin.url + path, { ...request, signal: exchange.signal });
    if (isRefusal(answer.status)) {
      noteRefusal(answer, origin, origins);
      const content = await readWhole(answer, exchange);
      const isOurs = isOfType("application/json", answer.headers);
      return isOurs ? { outcome: "refused", response: passOn(answer, content) } : absent();
    }
    const content = isOfType("text/event-stream", answer.headers)
      ? relay(answer, origin, origins, exchange)
      : await readWhole(answer, exchange);
    origins.succeeded(origin);
    return { outcome: "answered", response: passOn(answer, content) };
  } catch {
    exchange.end();
    if (signal?.aborted)
      return answered(errorResponse("client_closed_request", "the client went away"));
    origins.failed(origin);
    if (!exchange.timedOut) return absent();
    // Not asked elsewhere: the work may still go on here, and would be done twice.
    return answered(errorResponse("generation_timeout", `no answer within ${originTimeoutMs} ms`));
  }
}

const answered = (response: Response): Attempt => ({ outcome: "answered", response });

function absent(): Attempt {
  const headers = { "retry-after": "1" };
  const response = errorResponse("origin_unavailable", "no inference server answers", { headers });
  return { outcome: "absent", response };
}

function passOn(
  { status, headers }: Response,
  content: ArrayBuffer | ReadableStream<Uint8Array> | null,
): Response {
  return new Response(content, { status, headers: relayedHeaders(headers) });
}

function withKey(headers: Headers, { key }: Origin): Headers {
  const own = new Headers(headers);
  if (key !== undefined) own.set("authorization", `Bearer ${key}`);
  return own;
}

function noteRefusal({ headers }: Response, origin: Origin, origins: Origins): void {
  const seconds = headers.get("retry-after");
  if (seconds === null) origins.failed(origin);
  else origins.busy(origin, Number(seconds) || 1);
}

/** The body, null where there is none (as for 204). */
async function readWhole(answer: Response, exchange: Exchange): Promise<ArrayBuffer | null> {
  const whole = answer.body && (await answer.arrayBuffer());
  exchange.end();
  return whole;
}

function relay(
  answer: Response,
  origin: Origin,
  origins: Origins,
  exchange: Exchange,
): ReadableStream<Uint8Array> {
  return relayEvents(answer.body!, {
    onChunk: exchange.touch,
    onEnd(outcome) {
      exchange.end();
      if (outcome === "broken") origins.failed(origin);
    },
  });
}
