/**
 * Bytes that requests hold in memory at once. Each request is bounded by
 * itself; this bounds all of them together. Who finds no room waits in line,
 * and the line has an end.
 */
import { abortError, throwIfAborted } from "@tinygptv/protocol";
import { HttpError } from "./errors.ts";
import type { Lifetime } from "./lifetime.ts";
import { createShares } from "./shares.ts";

export interface ByteBudget {
  /**
   * Resolves once so many bytes are the request's, which gives them back at its
   * end. What it resolves to gives a part back before: all beyond so many bytes.
   * @throws HttpError queue_full where too many wait, "aborted" where the request ends before
   */
  take(
    bytes: number,
    caller: string,
    life: Pick<Lifetime, "signal" | "atEnd">,
  ): Promise<(bytes: number) => void>;
}

export interface BudgetOptions {
  /** Of all requests. */
  readonly bytes: number;
  /** Of one caller's requests: what he holds must not shut the others out. */
  readonly bytesPerCaller: number;
  /** Requests of one caller that may wait. */
  readonly line: number;
  /** What the bytes are of, for messages. */
  readonly of: string;
}

interface Waiting {
  readonly bytes: number;
  readonly caller: string;
  readonly grant: () => void;
}

export function createByteBudget({
  bytes: all,
  bytesPerCaller,
  line,
  of,
}: BudgetOptions): ByteBudget {
  const held = new Map<string, number>();
  const waiting: Waiting[] = [];
  const places = createShares(line);
  const total = () => [...held.values()].reduce((sum, bytes) => sum + bytes, 0);
  const heldBy = (caller: string) => held.get(caller) ?? 0;
  // One request alone always fits: its own limit has passed it.
  const fits = (bytes: number, now: number, limit: number) => now === 0 || now + bytes <= limit;

  const give = (caller: string, bytes: number) => {
    const left = heldBy(caller) + bytes;
    if (left === 0) held.delete(caller);
    else held.set(caller, left);
  };

  /** In order; a caller's own share holds up nobody else, the room of all does. */
  const admit = () => {
    for (const next of waiting.slice()) {
      if (!fits(next.bytes, heldBy(next.caller), bytesPerCaller)) continue;
      if (!fits(next.bytes, total(), all)) return;
      waiting.splice(waiting.indexOf(next), 1);
      give(next.caller, next.bytes);
      next.grant();
    }
  };

  return {
    async take(bytes, caller, life) {
      const { signal } = life;
      throwIfAborted(signal);
      if (!places.has(caller))
        throw new HttpError(
          "queue_full",
          `the server is busy: ${places.taken} requests wait for room for their ${of}`,
        );
      const leaveLine = places.take(caller);
      await new Promise<void>((resolve, reject) => {
        const next = { bytes, caller, grant: resolve };
        waiting.push(next);
        const leave = () => {
          const place = waiting.indexOf(next);
          if (place < 0) return;
          waiting.splice(place, 1);
          reject(abortError(signal));
        };
        signal.addEventListener("abort", leave, { once: true });
        admit();
      }).finally(leaveLine);
      let mine = bytes;
      const shrinkTo = (less: number) => {
        give(caller, less - mine);
        mine = less;
        admit();
      };
      life.atEnd(() => shrinkTo(0));
      return shrinkTo;
    },
  };
}
