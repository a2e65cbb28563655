import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import type { AppEnv, Services } from "../services.ts";
import { whenSent } from "./whenSent.ts";

/** One log line, one measurement and one count of activity per request, up to the end of its stream. */
export function observe({
  log,
  metrics,
  activity,
}: Pick<Services, "log" | "metrics" | "activity">): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const began = performance.now();
    const end = activity.begin();
    c.set("logFields", {});
    await next();
    const { status } = c.res;
    // The pattern, not the path: one time series a route.
    const route = routePath(c, -1);
    c.res = whenSent(c.res, () => {
      const seconds = (performance.now() - began) / 1000;
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
      end();
    });
  };
}
