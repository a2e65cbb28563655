import { z } from "zod";
import { take, tokensAt, type Bucket, type Limit, type Taken } from "./tokenBucket.ts";

/** Where isolates share their buckets; a Workers KV namespace fits as it is. */
export interface BucketStore {
  get(key: string): Promise<string | null>;
  put(key: string, value: string, options: { expirationTtl: number }): Promise<void>;
}

export interface Decision extends Taken {
  /** Settles when the shared bucket is written; nobody needs to wait for it. */
  saved: Promise<void>;
}

export type RateLimiter = (name: string, limit: Limit) => Promise<Decision>;

/** KV keeps nothing for less than a minute. */
const minTtl = 60;
const bucketSchema = z.object({ tokens: z.number(), at: z.number() });

/**
 * Limits by name. Each isolate counts its own requests exactly. With a store
 * isolates also see each other's counts as far as the store shows them; it has
 * no atomic update, so of requests that reach several isolates in the same
 * moment some may pass that one count would have refused. A store that fails
 * refuses nobody: the isolate's own count goes on.
 */
export function createRateLimiter(
  store: BucketStore | undefined,
  now: () => number = Date.now,
): RateLimiter {
  const buckets = new Map<string, Bucket>();

  async function readShared(key: string): Promise<Bucket | undefined> {
    try {
      return bucketSchema.parse(JSON.parse((await store?.get(key)) ?? ""));
    } catch {
      return undefined; // none yet, not a bucket, or the store is down
    }
  }

  return async (name, limit) => {
    const key = `bucket:${name}`;
    const shared = await readShared(key);
    // From here to `set` nothing waits: an isolate counts its requests one by one.
    const time = now();
    const own = buckets.get(name);
    const before = tokensAt(own, limit, time) <= tokensAt(shared, limit, time) ? own : shared;
    const taken = take(before, limit, time);
    buckets.set(name, taken.bucket);
    const expirationTtl = Math.max(minTtl, taken.reset);
    const saved = store?.put(key, JSON.stringify(taken.bucket), { expirationTtl }).catch(() => {});
    return { ...taken, saved: saved ?? Promise.resolve() };
  };
}
