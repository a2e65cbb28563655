import { TinyGptvError, abortError, throwIfAborted } from "@tinygptv/protocol";
import { createPlaces } from "./places.ts";
import type { Claim } from "./places.ts";

export interface EnterOptions {
  /** On whose behalf: clients take turns. */
  client?: string | undefined;
  /** Rows it will have in a forward pass; 1 unless given. */
  rows?: number;
  signal?: AbortSignal | undefined;
}

/** A bounded number of places, and a bounded line in front of them. */
export interface Admission {
  /**
   * Waits for a place; the returned function gives it back. Clients take turns,
   * and one who has no place yet is let in beside those who have them all.
   * @throws TinyGptvError `busy` at once where the client's line is full, `aborted` while waiting.
   */
  enter(options?: EnterOptions): Promise<() => void>;
  /** Whether the line has room for one more of this client. */
  accepts(client?: string): boolean;
  readonly running: number;
  readonly queued: number;
  /** Resolves once nobody runs or waits. */
  empty(): Promise<void>;
}

/** Lines there are in all, each of `queueLimit`: what bounds the memory that waiting takes. */
const maxLines = 4;

interface Entry extends Claim {
  onTurn(): void;
}

/**
 * @param places rows at once
 * @param queueLimit how many of one client may wait
 */
export function createAdmission(places: number, queueLimit: number): Admission {
  const all = createPlaces<Entry>(places);
  const onEmpty: (() => void)[] = [];

  function letIn(): void {
    for (const entry of all.admit()) entry.onTurn();
  }

  function leave(entry: Entry): void {
    all.remove(entry);
    letIn();
    if (all.inside.size === 0) for (const resolve of onEmpty.splice(0)) resolve();
  }

  function accepts(client = ""): boolean {
    return all.waiting(client) < queueLimit && all.waiting() < maxLines * queueLimit;
  }

  return {
    async enter({ client = "", rows = 1, signal } = {}) {
      throwIfAborted(signal);
      return new Promise((resolve, reject) => {
        const onAbort = () => {
          all.remove(entry);
          letIn(); // those who waited behind it
          reject(abortError(signal));
        };
        const entry: Entry = {
          client,
          units: Math.min(rows, places),
          onTurn() {
            signal?.removeEventListener("abort", onAbort);
            resolve(() => {
              if (all.inside.has(entry)) leave(entry);
            });
          },
        };
        const room = accepts(client);
        all.add(entry);
        letIn();
        if (all.inside.has(entry)) return;
        if (room) return signal?.addEventListener("abort", onAbort, { once: true });
        all.remove(entry);
        reject(
          new TinyGptvError("busy", `queue: want at most ${queueLimit} waiting, got one more`),
        );
      });
    },
    accepts,
    get running() {
      return all.inside.size;
    },
    get queued() {
      return all.waiting();
    },
    async empty() {
      if (all.inside.size > 0) await new Promise<void>((resolve) => onEmpty.push(resolve));
    },
  };
}
