import { parseCacheControl } from "./cacheControl.ts";
import { cacheKey } from "./cacheKey.ts";
import type { ResponseCache } from "./responseCache.ts";

export interface CacheOptions {
  cache: ResponseCache;
  /** Seconds that an answer is kept, unless the origin wants fewer. */
  cacheSeconds: number;
  now: () => number;
}

/** A request as the cache sees it. */
export interface CacheRequest {
  path: string;
  json: unknown;
  cacheControl: string | undefined;
}

/**
 * Answers a request from the cache, or by `ask`, and keeps that answer. Which
 * it was is said in `x-cache` (`hit`, `miss`); requests without a single right
 * answer, or whose `cache-control` forbids it (`no-store`), pass by. `no-cache`
 * asks anew and replaces what is kept, `max-age` asks anew if that is older.
 */
export async function answerWithCache(
  { path, json, cacheControl }: CacheRequest,
  { cache, cacheSeconds, now }: CacheOptions,
  ask: () => Promise<Response>,
): Promise<Response> {
  const wanted = parseCacheControl(cacheControl);
  const key = wanted.noStore || cacheSeconds === 0 ? undefined : await cacheKey(path, json);
  if (key === undefined) return ask();

  const kept = wanted.noCache ? undefined : cache.get(key);
  const age = kept ? Math.floor((now() - kept.storedAt) / 1000) : 0;
  if (kept && (wanted.maxAge === undefined || age < wanted.maxAge))
    return new Response(kept.body, {
      headers: { "content-type": "application/json", age: String(age), "x-cache": "hit" },
    });

  const response = await ask();
  response.headers.set("x-cache", "miss");
  const allowed = parseCacheControl(response.headers.get("cache-control"));
  const seconds = Math.min(cacheSeconds, allowed.maxAge ?? cacheSeconds);
  const isKept =
    response.status === 200 && !allowed.noStore && !allowed.noCache && !allowed.private;
  if (isKept && seconds > 0) {
    const storedAt = now();
    const body = await response.clone().text();
    cache.set(key, { body, storedAt, expiresAt: storedAt + seconds * 1000 });
  }
  return response;
}
