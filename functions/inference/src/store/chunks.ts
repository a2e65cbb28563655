/** Bodies on their way in and out of a store. */
import { TinyGptvError, abortError, throwIfAborted } from "@tinygptv/protocol";

/** Settles as the call does, or rejects with "aborted" as soon as the signal fires. */
async function orAborted<T>(call: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  throwIfAborted(signal);
  if (!signal) return call();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(abortError(signal));
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([call(), aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** The body's chunks as they come, up to the abort even where the body stalls. */
export async function* chunks(
  body: Uint8Array | AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  throwIfAborted(signal);
  if (body instanceof Uint8Array) {
    if (body.byteLength > 0) yield body;
    return;
  }
  const iterator = body[Symbol.asyncIterator]();
  try {
    while (true) {
      const { done, value } = await orAborted(() => iterator.next(), signal);
      if (done) return;
      if (!(value instanceof Uint8Array))
        throw new TinyGptvError(
          "parameter",
          `store body: want Uint8Array chunks, got ${typeof value}`,
        );
      if (value.byteLength > 0) yield value;
    }
  } finally {
    // Not awaited: a stalled body would hold its own cancellation up.
    iterator.return?.().catch(() => {});
  }
}

export interface ChunkSource {
  /** The next chunk, undefined at the end. */
  next(): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

/** A body read chunk by chunk as it is asked for; closed once, at its end, error, cancellation or abort. */
export function streamOf(source: ChunkSource, signal?: AbortSignal): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const chunk = await orAborted(() => source.next(), signal);
          if (chunk) return controller.enqueue(chunk);
        } catch (error) {
          await source.close().catch(() => {});
          throw error;
        }
        await source.close();
        controller.close();
      },
      cancel: () => source.close(),
    },
    { highWaterMark: 0 },
  );
}
