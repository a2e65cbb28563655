import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import type { AppEnv, Services } from "../services.ts";

/** Milliseconds between lines that tell how many were refused since. */
const tellEveryMs = 10_000;

/**
 * One log line and one measurement a request, at its end. Refusals of a full
 * server are no errors of it, and come by the thousand: they are counted.
 */
export function observe({
  log,
  metrics,
}: Pick<Services, "log" | "metrics">): MiddlewareHandler<AppEnv> {
  let refused = 0;
  let told = -Infinity;
  const tellRefused = () => {
    refused += 1;
    if (performance.now() - told < tellEveryMs) return;
    log.warn({ refused }, "the server is full: requests are refused");
    refused = 0;
    told = performance.now();
  };
  return async (c, next) => {
    c.set("logFields", {});
    const life = c.get("life");
    life.atEnd(() => {
      const { seconds } = life;
      const { status } = c.res;
      // The pattern, not the path: one time series a route.
      const route = routePath(c, -1);
      metrics.request({ method: c.req.method, route, status: String(status) }, seconds);
      const isFull = c.get("logFields")["code"] === "queue_full";
      if (isFull) tellRefused();
      const level = isFull ? "debug" : status >= 500 ? "error" : "info";
      log[level](
        {
          requestId: c.get("requestId"),
          caller: c.get("caller"),
          method: c.req.method,
          route,
          status,
          ms: Math.round(seconds * 1000),
          ...c.get("logFields"),
        },
        "request",
      );
    });
    await next();
  };
}
