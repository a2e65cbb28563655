import { setTimeout as sleep } from "node:timers/promises";
import { TinyGptvError, throwIfAborted } from "@tinygptv/protocol";
import { Interruption } from "./source.ts";

/** When to try again, and how that is told. */
export interface RetryOptions {
  signal?: AbortSignal | undefined;
  /** Milliseconds before the next try, after so many failures in a row (default: 1 s, doubled each time, 30 s at most). */
  retryDelay?: ((failures: number) => number) | undefined;
  /** Called before each wait, which is `delay` milliseconds. */
  onRetry?: ((reason: string, delay: number) => void) | undefined;
}

/** Tries in a row that bring nothing. */
const maxFailures = 6;

const doubled = (failures: number) => Math.min(1000 * 2 ** (failures - 1), 30_000);

/**
 * Repeats an attempt that was interrupted.
 * @param what of which thing the attempt was, for the message: "URL: want the file"
 * @param reached how far the attempts got; where it grows they count from 1 again
 * @throws TinyGptvError `network` after six in a row that did not get further; `aborted`
 */
export async function retry<T>(
  what: string,
  attempt: () => Promise<T>,
  { signal, retryDelay = doubled, onRetry }: RetryOptions = {},
  reached: () => number = () => 0,
): Promise<T> {
  for (let failures = 0; ;) {
    const before = reached();
    try {
      return await attempt();
    } catch (error) {
      throwIfAborted(signal);
      if (!(error instanceof Interruption)) throw error;
      failures = reached() > before ? 1 : failures + 1;
      if (failures === maxFailures) {
        const message = `${what}, got ${error.message} (${failures} tries)`;
        throw new TinyGptvError("network", message, { cause: error });
      }
      const delay = Math.max(retryDelay(failures), error.after);
      onRetry?.(error.message, delay);
      await sleep(delay, undefined, signal && { signal }).catch(() => throwIfAborted(signal));
    }
  }
}
