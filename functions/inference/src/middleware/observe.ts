import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import type { AppEnv, Services } from "../services.ts";

/** One log line and one measurement a request, at its end. */
export function observe({
  log,
  metrics,
}: Pick<Services, "log" | "metrics">): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    c.set("logFields", {});
    const life = c.get("life");
    life.atEnd(() => {
      const { seconds } = life;
      const { status } = c.res;
      // The pattern, not the path: one time series a route.
      const route = routePath(c, -1);
      metrics.request({ method: c.req.method, route, status: String(status) }, seconds);
      const level = status >= 500 ? "error" : "info";
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
