import type { MiddlewareHandler } from "hono";
import type { EdgeEnv } from "../edgeEnv.ts";
import { errorResponse } from "../errors.ts";
import type { RateLimiter } from "../rateLimiter.ts";
import type { Limit } from "../tokenBucket.ts";

/** What a client may do at once, has left, and when it is all there again: OpenAI's names. */
export const rateLimitHeaders = [
  "x-ratelimit-limit-requests",
  "x-ratelimit-remaining-requests",
  "x-ratelimit-reset-requests",
] as const;

/** A bucket for each key; answers say what is left in it, in OpenAI's headers. */
export function limitRate(limiter: RateLimiter, defaults: Limit): MiddlewareHandler<EdgeEnv> {
  return async (c, next) => {
    const { name, ...own } = c.get("caller");
    const limit = {
      requestsPerMinute: own.requestsPerMinute ?? defaults.requestsPerMinute,
      burst: own.burst ?? defaults.burst,
    };
    const { allowed, remaining, reset, retryAfter, saved } = await limiter(name, limit);
    c.executionCtx.waitUntil(saved);
    if (allowed) await next();
    else
      c.res = errorResponse(
        "too_many_requests",
        `want at most ${limit.requestsPerMinute} requests a minute, ${limit.burst} at once`,
        { headers: { "retry-after": String(retryAfter) } },
      );
    const said = [String(limit.burst), String(remaining), `${reset}s`];
    for (const [place, header] of rateLimitHeaders.entries()) c.header(header, said[place]);
  };
}
