/** The inference functions behind the edge: which serve a model, and how they are. */
import type { OriginConfig } from "./config.ts";

export interface Origin extends OriginConfig {
  /** Requests that this isolate has with it now. */
  inFlight: number;
  /** Until then others are tried first: it failed, or said it is busy. */
  avoidUntil: number;
  /** Failures in a row. */
  failures: number;
}

export interface Origins {
  readonly all: readonly Origin[];
  /**
   * Those that serve all of the models, in the order to try them: those in good
   * health by how little they have to do, then the others, by when they might be back.
   */
  candidates(models: readonly string[]): Origin[];
  succeeded(origin: Origin): void;
  /** It did not answer, or answered as something in front of a dead server does. */
  failed(origin: Origin): void;
  /** It answered that it has no place for so many seconds. */
  busy(origin: Origin, seconds: number): void;
  /** Whether an origin is ready; asks all of them if the last time is long enough ago. */
  check(): Promise<boolean>;
}

export interface OriginsOptions {
  fetch: typeof fetch;
  now: () => number;
  healthIntervalMs: number;
}

const firstPause = 1_000;
const longestPause = 30_000;
const readyTimeout = 3_000;

const nameOf = (model: string) => model.split(":")[0];

/** A list entry `name` covers all its levels; a request for `name` fits any of its levels. */
export function serves({ models }: OriginConfig, model: string): boolean {
  if (!models) return true;
  return models.some(
    (entry) => entry === model || entry === nameOf(model) || nameOf(entry) === model,
  );
}

export function createOrigins(
  configs: readonly OriginConfig[],
  { fetch, now, healthIntervalMs }: OriginsOptions,
): Origins {
  const origins = configs.map((config) => ({ ...config, inFlight: 0, avoidUntil: 0, failures: 0 }));
  let turn = 0;
  let checkedAt = -Infinity;
  let someReady = Promise.resolve(true);

  function succeeded(origin: Origin): void {
    origin.failures = 0;
    origin.avoidUntil = 0;
  }

  function failed(origin: Origin): void {
    const pause = Math.min(longestPause, firstPause * 2 ** origin.failures);
    origin.failures += 1;
    origin.avoidUntil = now() + pause;
  }

  async function isReady(origin: Origin): Promise<boolean> {
    const signal = AbortSignal.timeout(readyTimeout);
    const ready = await fetch(`${origin.url}/ready`, { signal }).then(
      async (response) => {
        await response.body?.cancel();
        return response.ok;
      },
      () => false,
    );
    if (ready) succeeded(origin);
    else failed(origin);
    return ready;
  }

  return {
    all: origins,
    candidates(models) {
      turn += 1;
      const wait = ({ avoidUntil }: Origin) => Math.max(0, avoidUntil - now());
      const place = (origin: Origin) => (origins.indexOf(origin) + turn) % origins.length;
      return origins
        .filter((origin) => models.every((model) => serves(origin, model)))
        .toSorted((a, b) => wait(a) - wait(b) || a.inFlight - b.inFlight || place(a) - place(b));
    },
    succeeded,
    failed,
    busy(origin, seconds) {
      origin.avoidUntil = now() + Math.min(longestPause, seconds * 1000);
    },
    check() {
      if (now() - checkedAt >= healthIntervalMs) {
        checkedAt = now();
        someReady = Promise.all(origins.map(isReady)).then((ready) => ready.includes(true));
      }
      return someReady;
    },
  };
}
