import type { MiddlewareHandler } from "hono";
import type { EdgeEnv } from "../edgeEnv.ts";
import { errorResponse } from "../errors.ts";
import type { RateLimiter } from "../rateLimiter.ts";
import type { Limit } from "../tokenBucket.ts";

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
    c.header("x-ratelimit-limit-requests", String(limit.burst));
    c.header("x-ratelimit-remaining-requests", String(remaining));
    c.header("x-ratelimit-reset-requests", `${reset}s`);
  };
}
