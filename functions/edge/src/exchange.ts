import type { Origin, Origins } from "./origins.ts";

/** One request and answer between the edge and an origin: what it lives as long as, and how it ended. */
export interface Exchange {
  /** Ends the request at the origin: fires when the client goes away, or the origin does without a word. */
  readonly signal: AbortSignal;
  /** `silent`: no answer in time, though it lives; `lost`: it does not answer anything any more. */
  readonly givenUp: "silent" | "lost" | undefined;
  /** The origin gave a sign of life. */
  touch(): void;
  /** Ends the request at the origin: there is nothing more to send. */
  cancel(): void;
  /** To be called however it ended; a second call does nothing. */
  end(): void;
}

export interface ExchangeOptions {
  origins: Origins;
  now: () => number;
  originTimeoutMs: number;
  healthIntervalMs: number;
}

/** Milliseconds of silence after which a waiting request asks whether the origin lives. */
const longestDoubt = 2_000;
/** Questions without an answer, one after the other, that mean it does not. */
const unanswered = 2;

/** @param client fires when the client goes away */
export function openExchange(
  origin: Origin,
  client: AbortSignal | undefined,
  { origins, now, originTimeoutMs, healthIntervalMs }: ExchangeOptions,
): Exchange {
  const abort = new AbortController();
  const cancel = () => abort.abort();
  let givenUp: Exchange["givenUp"];
  let ended = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isAsking = false;
  let misses = 0;

  function giveUp(reason: "silent" | "lost"): void {
    if (ended) return;
    givenUp ??= reason;
    cancel();
  }

  function touch(): void {
    origins.heard(origin);
    restart();
  }

  function restart(): void {
    clearTimeout(timer);
    timer = setTimeout(() => giveUp("silent"), originTimeoutMs);
  }

  /** A process that is stopped takes connections and says nothing: without this its requests would wait for the timeout. */
  async function watch(): Promise<void> {
    if (isAsking || (misses === 0 && now() - origin.heardAt < doubt)) return;
    isAsking = true;
    misses = (await origins.isAlive(origin)) ? 0 : misses + 1;
    isAsking = false;
    if (misses === unanswered) giveUp("lost");
  }

  const doubt = Math.min(longestDoubt, healthIntervalMs);
  const watching = setInterval(() => void watch(), doubt);
  origin.inFlight += 1;
  if (client?.aborted) cancel();
  client?.addEventListener("abort", cancel, { once: true });
  restart();
  return {
    signal: abort.signal,
    get givenUp() {
      return givenUp;
    },
    touch,
    cancel,
    end() {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      clearInterval(watching);
      client?.removeEventListener("abort", cancel);
      origin.inFlight -= 1;
    },
  };
}
