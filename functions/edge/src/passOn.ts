/** An origin's answer on its way to the client. */
import { join, smallBytes } from "./body.ts";
import type { Exchange } from "./exchange.ts";
import type { Origin, Origins } from "./origins.ts";
import { relayEvents, type RelayHooks } from "./relayEvents.ts";

/** Headers of the connection to the origin, and those that the edge sets itself. */
const dropped = new Set([
  "connection",
  "keep-alive",
  "transfer-encoding",
  "content-length",
  "content-encoding", // fetch has decoded the body
  "server",
  "set-cookie",
  "www-authenticate",
  "x-request-id",
]);

export const isOfType = (type: string, { headers }: Response) =>
  headers.get("content-type")?.startsWith(type) ?? false;

export interface Passed {
  response: Response;
  /** Its bytes, where they were read before it is passed on. */
  whole: Uint8Array<ArrayBuffer> | undefined;
}

/**
 * Events as they come; another answer whole where it is small, or else as it comes.
 * @throws what reading throws, before anything is passed on
 */
export async function passOn(
  answer: Response,
  origin: Origin,
  exchange: Exchange,
  origins: Origins,
): Promise<Passed> {
  const { status, body } = answer;
  const headers = new Headers(
    [...answer.headers].filter(
      ([name]) => !dropped.has(name) && !name.startsWith("access-control-"),
    ),
  );
  const hooks: RelayHooks = {
    onChunk: exchange.touch,
    onEnd(outcome) {
      exchange.end();
      if (outcome === "broken") origins.failed(origin);
    },
  };
  if (!body) {
    exchange.end();
    return { response: new Response(null, { status, headers }), whole: undefined };
  }
  if (isOfType("text/event-stream", answer)) {
    const events = relayEvents(body, hooks);
    return { response: new Response(events, { status, headers }), whole: undefined };
  }
  const content = await readBeginning(body, hooks);
  if (content instanceof Uint8Array)
    return { response: new Response(content, { status, headers }), whole: content };
  const length = answer.headers.get("content-length");
  if (length !== null && !answer.headers.has("content-encoding"))
    headers.set("content-length", length);
  const sized = withLength(content, headers.get("content-length"));
  return { response: new Response(sized, { status, headers }), whole: undefined };
}

/** All of it where it is small, or else a stream of all of it. */
async function readBeginning(
  body: ReadableStream<Uint8Array>,
  { onChunk, onEnd }: RelayHooks,
): Promise<Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>> {
  const reader = body.getReader();
  const begun: Uint8Array[] = [];
  let size = 0;
  while (size <= smallBytes) {
    const { done, value } = await reader.read();
    if (done) {
      onEnd("complete");
      return join(begun, size);
    }
    onChunk();
    begun.push(value);
    size += value.length;
  }
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const chunk = begun.shift();
        if (chunk) return controller.enqueue(chunk);
        try {
          const { done, value } = await reader.read();
          if (!done) {
            onChunk();
            return controller.enqueue(value);
          }
          onEnd("complete");
          controller.close();
        } catch (error) {
          onEnd("broken");
          controller.error(error);
        }
      },
      async cancel(reason) {
        onEnd("cancelled");
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

/** workerd's; it sends the length of no other stream. Without it an answer that breaks off looks complete. */
declare const FixedLengthStream:
  | (new (bytes: number) => TransformStream<Uint8Array, Uint8Array>)
  | undefined;

function withLength(
  stream: ReadableStream<Uint8Array>,
  length: string | null,
): ReadableStream<Uint8Array> {
  if (length === null || typeof FixedLengthStream === "undefined") return stream;
  return stream.pipeThrough(new FixedLengthStream(Number(length)));
}
