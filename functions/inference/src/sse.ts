/** Server-sent events. */

export interface SseEvent {
  /** The event's name; left out, clients see a plain message. */
  event?: string;
  data: string;
}

export interface SseHandlers {
  /** The client has gone. */
  onCancel: () => void;
  /** A failure in mid-stream; what it returns is the last event. */
  onError: (error: unknown) => SseEvent;
}

/**
 * A response that pulls its events one at a time: a slow client slows its own
 * generation down, one that goes away cancels it, and no write error is lost.
 * There is a response only once there is a first event: what fails before is
 * thrown and can have a status of its own.
 */
export async function sseResponse(
  events: AsyncIterator<SseEvent>,
  { onCancel, onError }: SseHandlers,
): Promise<Response> {
  let next: Promise<IteratorResult<SseEvent>> | undefined = events.next();
  await next;
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await (next ?? events.next());
          next = undefined;
          if (done) return controller.close();
          controller.enqueue(encoder.encode(format(value)));
        } catch (error) {
          controller.enqueue(encoder.encode(format(onError(error))));
          controller.close();
        }
      },
      async cancel() {
        onCancel();
        await events.return?.();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-transform",
      // Proxies of the nginx kind gather a response unless told not to.
      "x-accel-buffering": "no",
    },
  });
}

/** `data` is JSON or `[DONE]`: it holds no line break. */
function format({ event, data }: SseEvent): string {
  return `${event === undefined ? "" : `event: ${event}\n`}data: ${data}\n\n`;
}
