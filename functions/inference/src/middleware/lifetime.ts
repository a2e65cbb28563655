import type { MiddlewareHandler } from "hono";
import { startLifetime } from "../lifetime.ts";
import type { AppEnv, Services } from "../services.ts";

/** Gives every request its lifetime; a shutdown waits for its end. */
export function followLifetime({
  activity,
  config,
}: Pick<Services, "activity" | "config">): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const life = startLifetime(() => c.req.raw.signal, config.limits.generationMs);
    c.set("life", life);
    life.atEnd(activity.begin());
    await next();
    // Of an answer to HEAD nobody reads the body.
    if (c.req.method === "HEAD") await c.res.body?.cancel();
    // An answer that is no stream counts as sent when it is handed over.
    if (!life.streaming) life.end();
  };
}
