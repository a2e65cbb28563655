import type { Origin } from "./origins.ts";

/** One request and answer between the edge and an origin, while it lasts. */
export interface Exchange {
  /** Ends the request at the origin: fires when the client goes away or the origin is silent for too long. */
  readonly signal: AbortSignal;
  readonly timedOut: boolean;
  /** The origin gave a sign of life. */
  touch(): void;
  /** To be called however it ended; a second call does nothing. */
  end(): void;
}

export function openExchange(
  origin: Origin,
  client: AbortSignal | undefined,
  timeoutMs: number,
): Exchange {
  const abort = new AbortController();
  const cancel = () => abort.abort();
  let timedOut = false;
  let ended = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function touch(): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      timedOut = true;
      cancel();
    }, timeoutMs);
  }

  origin.inFlight += 1;
  if (client?.aborted) cancel();
  client?.addEventListener("abort", cancel, { once: true });
  touch();
  return {
    signal: abort.signal,
    get timedOut() {
      return timedOut;
    },
    touch,
    end() {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      client?.removeEventListener("abort", cancel);
      origin.inFlight -= 1;
    },
  };
}
