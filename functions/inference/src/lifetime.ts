import type { NameOf } from "@tinygptv/protocol";
import { HttpError, toHttpError } from "./errors.ts";

/**
 * One request, from its arrival to the last byte of its answer: the signal its
 * work runs under, its deadline, and what is to be done at its end, whichever
 * way it ends.
 */
export interface Lifetime {
  /** Fires when the caller goes away, the deadline passes, or the request is over. */
  readonly signal: AbortSignal;
  /** Seconds since the request arrived. */
  readonly seconds: number;
  /** Whether the answer is a stream that is still being sent. */
  readonly streaming: boolean;
  /** To be done once at the end; what was registered last is done first. */
  atEnd(action: () => void): void;
  /** A body pulled from its source as the client reads: the request lives until it is out, or nobody wants it. */
  stream(source: AsyncIterator<Uint8Array>): ReadableStream<Uint8Array>;
  /** What the caller is told of an error, in his names; of an abort, who aborted. */
  explain(error: unknown, nameOf?: NameOf): HttpError;
  end(): void;
}

/** `caller` is asked for when the signal is first wanted: most requests never do. */
export function startLifetime(caller: () => AbortSignal, ms: number): Lifetime {
  const began = performance.now();
  const over = new AbortController();
  const late = new HttpError("generation_timeout", `the answer was not finished within ${ms} ms`);
  const timer = setTimeout(() => over.abort(late), ms);
  const actions: (() => void)[] = [];
  let signal: AbortSignal | undefined;
  let streaming = false;
  let ended = false;

  const end = () => {
    if (ended) return;
    ended = true;
    streaming = false;
    clearTimeout(timer);
    for (const action of actions.toReversed()) action();
    over.abort();
  };

  return {
    get signal() {
      return (signal ??= AbortSignal.any([caller(), over.signal]));
    },
    get seconds() {
      return (performance.now() - began) / 1000;
    },
    get streaming() {
      return streaming;
    },
    atEnd(action) {
      if (ended) action();
      else actions.push(action);
    },
    stream(source) {
      streaming = true;
      return new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            try {
              const { done, value } = await source.next();
              if (!done) return controller.enqueue(value);
            } catch (error) {
              end();
              throw error;
            }
            controller.close();
            end();
          },
          cancel() {
            // First the signal: a source that waits for its next chunk cannot return before.
            end();
            source.return?.().catch(() => {});
          },
        },
        { highWaterMark: 0 },
      );
    },
    explain: (error, nameOf) => toHttpError(signal?.reason === late ? late : error, nameOf),
    end,
  };
}
