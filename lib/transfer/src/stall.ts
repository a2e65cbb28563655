/** Ends a wait that brings nothing. */
import { abortError } from "@tinygptv/protocol";
import { Interruption } from "./source.ts";

export interface StallLimit {
  /** Fires at a stall, at an abort of the caller's and at the end. */
  readonly signal: AbortSignal;
  /** The promise's outcome, or the end of the wait, whether or not anybody heeds the signal. */
  wait<T>(promise: Promise<T>): Promise<T>;
  end(): void;
}

/**
 * @param milliseconds that one wait may take
 * @param given the caller's signal
 */
export function limitStalls(milliseconds: number, given: AbortSignal | undefined): StallLimit {
  const own = new AbortController();
  return {
    signal: given ? AbortSignal.any([given, own.signal]) : own.signal,
    async wait(promise) {
      const ended = Promise.withResolvers<never>();
      const timer = setTimeout(() => {
        ended.reject(new Interruption(`nothing came for ${milliseconds / 1000} s`));
        own.abort();
      }, milliseconds);
      const onAbort = () => ended.reject(abortError(given));
      given?.addEventListener("abort", onAbort);
      if (given?.aborted) onAbort();
      try {
        return await Promise.race([promise, ended.promise]);
      } finally {
        clearTimeout(timer);
        given?.removeEventListener("abort", onAbort);
        promise.catch(() => {}); // what was given up may still fail
      }
    },
    end: () => own.abort(),
  };
}

/**
 * A body whose every chunk comes within the limit. It is read one chunk ahead,
 * from now on: what has arrived when a connection drops is not lost to a slow disk.
 */
export function within(
  body: AsyncIterable<Uint8Array>,
  limit: StallLimit,
): AsyncIterable<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  return readAhead(chunks, nextOf(chunks), limit);
}

async function* readAhead(
  chunks: AsyncIterator<Uint8Array>,
  next: Promise<IteratorResult<Uint8Array>>,
  limit: StallLimit,
): AsyncGenerator<Uint8Array> {
  let isOver = false;
  try {
    for (;;) {
      const result = await limit.wait(next);
      isOver = result.done === true;
      if (result.done) return;
      next = nextOf(chunks);
      yield result.value;
    }
  } finally {
    // Not waited for: a body that has stalled would never end.
    if (!isOver) void Promise.resolve(chunks.return?.()).catch(() => {});
  }
}

/** A failure is heard when somebody waits for the chunk. */
function nextOf(chunks: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
  const next = chunks.next();
  next.catch(() => {});
  return next;
}
