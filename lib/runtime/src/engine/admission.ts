import { TinyGptvError, abortError, throwIfAborted } from "@tinygptv/protocol";

/** A bounded number of places, and a bounded line in front of them. */
export interface Admission {
  /**
   * Waits for a place, in order of arrival; the returned function gives it back.
   * @throws TinyGptvError `busy` at once where the line is full, `aborted` while waiting.
   */
  enter(signal?: AbortSignal): Promise<() => void>;
  readonly running: number;
  readonly queued: number;
  /** Resolves once nobody runs or waits. */
  empty(): Promise<void>;
}

export function createAdmission(places: number, queueLimit: number): Admission {
  const line: (() => void)[] = [];
  const onEmpty: (() => void)[] = [];
  let running = 0;

  function leave(): void {
    running -= 1;
    line.shift()?.();
    if (running === 0) for (const resolve of onEmpty.splice(0)) resolve();
  }

  /** Takes a place; it can be given back only once. */
  function take(): () => void {
    running += 1;
    let isTaken = true;
    return () => {
      if (isTaken) leave();
      isTaken = false;
    };
  }

  return {
    async enter(signal) {
      throwIfAborted(signal);
      if (running < places) return take();
      if (line.length >= queueLimit) {
        throw new TinyGptvError("busy", `queue: want at most ${queueLimit} waiting, got one more`);
      }
      return new Promise((resolve, reject) => {
        const onTurn = () => {
          signal?.removeEventListener("abort", onAbort);
          resolve(take());
        };
        const onAbort = () => {
          line.splice(line.indexOf(onTurn), 1);
          reject(abortError(signal));
        };
        line.push(onTurn);
        signal?.addEventListener("abort", onAbort, { once: true });
      });
    },
    get running() {
      return running;
    },
    get queued() {
      return line.length;
    },
    async empty() {
      if (running > 0) await new Promise<void>((resolve) => onEmpty.push(resolve));
    },
  };
}
