import { setTimeout as sleep } from "node:timers/promises";
import { TinyGptvError, throwIfAborted } from "@tinygptv/protocol";

export interface RetryOptions {
  signal?: AbortSignal;
  /** Milliseconds before the next try, doubled with every failure in a row (default 500). */
  retryAfter?: number;
}

const maxFailures = 5;

/**
 * Repeats an attempt that failed with "network"; gives up after five in a row
 * that did not get further.
 *
 * @param reached how far the attempts got; where it grows they count from 1 again
 */
export async function retry<T>(
  attempt: () => Promise<T>,
  { signal, retryAfter = 500 }: RetryOptions,
  reached: () => number = () => 0,
): Promise<T> {
  for (let failures = 0; ;) {
    const before = reached();
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TinyGptvError && error.code === "network")) throw error;
      failures = reached() > before ? 1 : failures + 1;
      if (failures === maxFailures) throw error;
    }
    await sleep(retryAfter * 2 ** (failures - 1), undefined, { signal }).catch(() => {});
    throwIfAborted(signal);
  }
}
