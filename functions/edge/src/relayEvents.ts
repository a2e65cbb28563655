/** An origin's event stream on its way to the client. */
import { errorBody } from "./errors.ts";

const newline = 10;
const brokenOff = errorBody("origin_unavailable", "the answer broke off: its server went away");
const brokenEvent = new TextEncoder().encode(`data: ${JSON.stringify(brokenOff)}\n\n`);

/** Where the last whole event in these bytes ends, 0 where there is none: after an empty line. */
function endOfEvents(bytes: Uint8Array): number {
  for (let end = bytes.length; end >= 2; end--)
    if (bytes[end - 1] === newline && bytes[end - 2] === newline) return end;
  return 0;
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

export interface RelayHooks {
  /** The origin sent something. */
  onChunk(): void;
  /** Once: all is sent, the origin went away, or the client did. */
  onEnd(outcome: "complete" | "broken" | "cancelled"): void;
}

/**
 * Passes events on, each as soon as it is whole and the client takes it. When
 * the origin goes away the stream ends with an event that says so: breaking it
 * off would not do, some runtimes (workerd) then end it as if it were complete.
 */
export function relayEvents(
  events: ReadableStream<Uint8Array>,
  hooks: RelayHooks,
): ReadableStream<Uint8Array> {
  const reader = events.getReader();
  /** The beginning of an event. */
  let begun: Uint8Array = new Uint8Array();

  /** The next bytes to pass on, undefined at the end. */
  async function next(): Promise<Uint8Array | undefined> {
    while (true) {
      const { done, value } = await reader.read();
      if (done) return undefined;
      hooks.onChunk();
      const bytes = join(begun, value);
      const end = endOfEvents(bytes);
      begun = bytes.subarray(end);
      if (end > 0) return bytes.subarray(0, end);
    }
  }

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const bytes = await next();
          if (bytes) return controller.enqueue(bytes);
          hooks.onEnd("complete");
          if (begun.length > 0) controller.enqueue(begun);
        } catch {
          hooks.onEnd("broken");
          controller.enqueue(brokenEvent);
        }
        controller.close();
      },
      async cancel(reason) {
        hooks.onEnd("cancelled");
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
