import { LRUCache } from "lru-cache";
import { parseCacheControl } from "./cacheControl.ts";
import { cacheKey } from "./cacheKey.ts";

/** One kept answer. */
interface KeptAnswer {
  body: Uint8Array<ArrayBuffer>;
  /** Milliseconds. */
  storedAt: number;
}

export interface AnswerCache {
  answers: LRUCache<string, KeptAnswer>;
  /** Seconds that an answer is kept, unless the origin wants fewer. */
  seconds: number;
  now: () => number;
}

/** About what an entry takes beside its answer. */
const entryBytes = 512;

/** Answers in the memory of this isolate, at most `maxBytes` of them and none larger than an eighth of that. */
export function createAnswerCache(
  maxBytes: number,
  seconds: number,
  now: () => number,
): AnswerCache {
  const answers = new LRUCache<string, KeptAnswer>({
    maxSize: maxBytes,
    maxEntrySize: Math.max(1, Math.floor(maxBytes / 8)),
    sizeCalculation: ({ body }) => body.length + entryBytes,
    // The clock is read each time: with its timer the cache would reach from one request into another.
    ttlResolution: 0,
    perf: { now },
  });
  return { answers, seconds, now };
}

/** A request as the cache sees it. */
export interface CacheRequest {
  path: string;
  json: unknown;
  cacheControl: string | undefined;
}

interface Answer {
  response: Response;
  /** Its bytes, where they are at hand: no other is kept. */
  whole?: Uint8Array<ArrayBuffer> | undefined;
}

/**
 * Answers a request from the cache, or by `ask`, and keeps that answer. Which
 * it was is said in `x-cache` (`hit`, `miss`); requests without a single right
 * answer, or whose `cache-control` forbids it (`no-store`), pass by. `no-cache`
 * asks anew and replaces what is kept, `max-age` asks anew if that is older.
 */
export async function answerWithCache(
  { path, json, cacheControl }: CacheRequest,
  { answers, seconds, now }: AnswerCache,
  ask: () => Promise<Answer>,
): Promise<Response> {
  const wanted = parseCacheControl(cacheControl);
  const key = wanted.noStore || seconds === 0 ? undefined : await cacheKey(path, json);
  if (key === undefined) return (await ask()).response;

  const kept = wanted.noCache ? undefined : answers.get(key);
  const age = kept ? Math.floor((now() - kept.storedAt) / 1000) : 0;
  if (kept && (wanted.maxAge === undefined || age < wanted.maxAge))
    return new Response(kept.body, {
      headers: { "content-type": "application/json", age: String(age), "x-cache": "hit" },
    });

  const { response, whole } = await ask();
  response.headers.set("x-cache", "miss");
  const allowed = parseCacheControl(response.headers.get("cache-control"));
  const lifetime = Math.min(seconds, allowed.maxAge ?? seconds);
  const mayBeKept =
    response.status === 200 && !allowed.noStore && !allowed.noCache && !allowed.private;
  if (whole && mayBeKept && lifetime > 0)
    answers.set(key, { body: whole, storedAt: now() }, { ttl: lifetime * 1000 });
  return response;
}
