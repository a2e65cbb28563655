import { abortError } from "@tinygptv/protocol";
import type { GenerateEvent } from "@tinygptv/protocol";
import { createEventQueue } from "./eventQueue.ts";

/** How a call that is carried out elsewhere is followed. */
export interface CallHandlers {
  signal?: AbortSignal | undefined;
  onEvent?: ((event: GenerateEvent) => void) | undefined;
}

/**
 * An answer that is made elsewhere, as it comes. Leaving the iteration cancels
 * it; an abort is heard at once, whatever becomes of the call.
 * @param perform starts it, and settles when it has ended there
 */
export function answerStream(
  perform: (handlers: CallHandlers) => Promise<unknown>,
  callerSignal: AbortSignal | undefined,
): AsyncIterator<GenerateEvent, undefined> {
  const given = new AbortController();
  const signal = callerSignal ? AbortSignal.any([callerSignal, given.signal]) : given.signal;
  const events = createEventQueue();
  const arrival = performance.now();
  const onEvent = (event: GenerateEvent) => {
    const elapsed = performance.now() - arrival;
    events.push(event.type === "end" ? withWait(event, elapsed) : event);
  };
  perform({ signal, onEvent }).then(events.end, events.fail);
  signal.addEventListener("abort", () => events.fail(abortError(signal)), { once: true });
  const iterator = events[Symbol.asyncIterator]();
  return {
    next: () => iterator.next() as Promise<IteratorResult<GenerateEvent, undefined>>,
    // Not a generator: its `return` would wait for a `next` under way, perhaps in the line.
    async return() {
      given.abort();
      return { done: true, value: undefined };
    },
  };
}

/** The model's clock starts when it gets the call; the rest was waiting: for a place, the process, the model. */
function withWait(
  event: Extract<GenerateEvent, { type: "end" }>,
  elapsed: number,
): Extract<GenerateEvent, { type: "end" }> {
  const { queue, total } = event.timings;
  const timings = { ...event.timings, queue: queue + elapsed - total, total: elapsed };
  return { ...event, timings };
}

/** The promise's outcome, or `aborted` as soon as the signal fires. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  const abort = Promise.withResolvers<never>();
  const onAbort = () => abort.reject(abortError(signal));
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  return Promise.race([promise, abort.promise]).finally(() =>
    signal.removeEventListener("abort", onAbort),
  );
}
