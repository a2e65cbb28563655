/** The inference functions behind the edge: which serve a model, and how they are. */
import { splitId } from "@tinygptv/protocol";
import type { OriginConfig } from "./config.ts";

export interface Origin extends OriginConfig {
  /** Requests that this isolate has with it now. */
  inFlight: number;
  /** Until then others are tried first: it failed, or said it is busy. */
  avoidUntil: number;
  /** Failures in a row. */
  failures: number;
  /** When it last gave a sign of life, to whoever asked. */
  heardAt: number;
  /** It takes the edge's own key for a wrong one. */
  refusesKey: boolean;
}

export interface Origins {
  readonly all: readonly Origin[];
  /**
   * Those that serve all of the models, in the order to try them: those in good
   * health by how little they have to do, then the others, by when they might be back.
   */
  candidates(models: readonly string[]): Origin[];
  /** It gave a sign of life. */
  heard(origin: Origin): void;
  /** It answered a request with its key. */
  succeeded(origin: Origin): void;
  /** It did not answer, or answered as something in front of a dead server does. */
  failed(origin: Origin): void;
  /** It refused the edge's own key. */
  refusedKey(origin: Origin): void;
  /** It answered that it has no place for so many seconds. */
  busy(origin: Origin, seconds: number): void;
  /** Whether it answers at all, be it that it is not ready. */
  isAlive(origin: Origin): Promise<boolean>;
  /** Whether each one is ready, as they answer. */
  areReady(): Promise<boolean>[];
  /** Asks all whether they are ready, if the last time is long enough ago. */
  check(): Promise<unknown>;
}

export interface OriginsOptions {
  fetch: typeof fetch;
  now: () => number;
  healthIntervalMs: number;
  readyTimeoutMs: number;
}

/** What says that a key is wrong, or that there is none; 407 is a proxy's on the way. */
export const isKeyRefused = (status: number) => status === 401 || status === 403 || status === 407;

const firstPause = 1_000;
const longestPause = 30_000;

const nameOf = (model: string) => model.split(":")[0];

/** A list entry `name` covers all its levels, and each the adapters beside it; a request for `name` fits any of its levels. */
export function serves({ models }: OriginConfig, model: string): boolean {
  if (!models) return true;
  const { model: level } = splitId(model);
  return models.some((entry) =>
    [model, level].some(
      (asked) => entry === asked || entry === nameOf(asked) || nameOf(entry) === asked,
    ),
  );
}

/** A request's headers with the key of an origin. */
export function withKey(headers: Headers, { key }: OriginConfig): Headers {
  const own = new Headers(headers);
  if (key !== undefined) own.set("authorization", `Bearer ${key}`);
  return own;
}

export function createOrigins(
  configs: readonly OriginConfig[],
  { fetch, now, healthIntervalMs, readyTimeoutMs }: OriginsOptions,
): Origins {
  const fresh = { inFlight: 0, avoidUntil: 0, failures: 0, heardAt: -Infinity, refusesKey: false };
  const origins: Origin[] = configs.map((config) => ({ ...config, ...fresh }));
  let turn = 0;
  let checkedAt = -Infinity;

  function heard(origin: Origin): void {
    origin.heardAt = now();
  }

  function wellAgain(origin: Origin): void {
    origin.failures = 0;
    origin.avoidUntil = 0;
  }

  function failed(origin: Origin): void {
    const pause = Math.min(longestPause, firstPause * 2 ** origin.failures);
    origin.failures += 1;
    origin.avoidUntil = now() + pause;
  }

  /** The status of its answer, undefined where there is none in time. */
  async function ask(origin: Origin, path: string): Promise<number | undefined> {
    try {
      const response = await fetch(origin.url + path, {
        headers: withKey(new Headers(), origin),
        redirect: "manual",
        signal: AbortSignal.timeout(readyTimeoutMs),
      });
      await response.body?.cancel();
      heard(origin);
      return response.status;
    } catch {
      return undefined;
    }
  }

  async function isReady(origin: Origin): Promise<boolean> {
    let ready = (await ask(origin, "/ready")) === 200;
    // Whether it is ready it tells everybody; whether the key is right by now only this shows.
    if (ready && origin.refusesKey) {
      const status = await ask(origin, "/v1/models");
      origin.refusesKey = status === undefined || isKeyRefused(status);
      ready = !origin.refusesKey;
    }
    if (ready) wellAgain(origin);
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
    heard,
    succeeded(origin) {
      heard(origin);
      wellAgain(origin);
      origin.refusesKey = false;
    },
    failed,
    refusedKey(origin) {
      heard(origin);
      failed(origin);
      origin.refusesKey = true;
    },
    busy(origin, seconds) {
      heard(origin);
      origin.avoidUntil = now() + Math.min(longestPause, seconds * 1000);
    },
    isAlive: async (origin) => (await ask(origin, "/ready")) !== undefined,
    areReady: () => origins.map(isReady),
    async check() {
      if (now() - checkedAt < healthIntervalMs) return;
      checkedAt = now();
      await Promise.all(origins.map(isReady));
    },
  };
}
