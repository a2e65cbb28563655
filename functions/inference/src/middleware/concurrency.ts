import type { MiddlewareHandler } from "hono";
import { HttpError } from "../errors.ts";
import type { AppEnv } from "../services.ts";

/** At most `limit` requests of one caller at the same time; a stream counts until its end. */
export function limitConcurrency(limit: number): MiddlewareHandler<AppEnv> {
  const running = new Map<string, number>();
  return async (c, next) => {
    const caller = c.get("caller");
    const count = running.get(caller) ?? 0;
    if (count >= limit)
      throw new HttpError(
        "too_many_requests",
        `want at most ${limit} requests of one key at a time`,
        {
          headers: { "retry-after": "1" },
        },
      );
    running.set(caller, count + 1);
    c.get("life").atEnd(() => {
      const left = running.get(caller)! - 1;
      if (left === 0) running.delete(caller);
      else running.set(caller, left);
    });
    await next();
  };
}
