/** Server-sent events. */
import type { Context } from "hono";
import type { AppEnv } from "./services.ts";

import type { ApiError, SseEvent } from "@tinygptv/protocol/http";

const headers = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  // Proxies of the nginx kind gather a response unless told not to.
  "x-accel-buffering": "no",
};

/**
 * A response that pulls its events one at a time: a slow client slows its own
 * generation down, one that goes away cancels it, and no write error is lost.
 * There is a response only once there is a first event: what fails before is
 * thrown and can have a status of its own. A failure in mid-stream arrives as
 * an event and ends it.
 * @param failed the event of a failure: the error object unless its API has another
 */
export async function streamEvents(
  c: Context<AppEnv>,
  events: AsyncIterator<SseEvent>,
  failed = (error: ApiError): SseEvent => ({ data: JSON.stringify(error) }),
): Promise<Response> {
  const life = c.get("life");
  const first = await events.next();
  const explained = (error: unknown): SseEvent => {
    const { body, code, cause } = life.explain(error);
    Object.assign(c.get("logFields"), { streamError: code, err: cause });
    return failed(body);
  };
  return new Response(life.stream(encoded(first, events, explained)), { headers });
}

const encoder = new TextEncoder();

async function* encoded(
  first: IteratorResult<SseEvent>,
  events: AsyncIterator<SseEvent>,
  explained: (error: unknown) => SseEvent,
): AsyncGenerator<Uint8Array, void> {
  try {
    for (let next = first; !next.done; next = await events.next())
      yield encoder.encode(format(next.value));
  } catch (error) {
    yield encoder.encode(format(explained(error)));
  } finally {
    await events.return?.();
  }
}

/** `data` is JSON or `[DONE]`: it holds no line break. */
function format({ event, data }: SseEvent): string {
  return `${event === undefined ? "" : `event: ${event}\n`}data: ${data}\n\n`;
}
