import type { MiddlewareHandler } from "hono";
import type { EngineStatus } from "@tinygptv/protocol";
import { HttpError } from "../errors.ts";
import type { AppEnv, Services } from "../services.ts";
import { createShares } from "../shares.ts";

/** Refuses everything once the server shuts down, so that what runs can finish. */
export function refuseWhileDraining({
  activity,
}: Pick<Services, "activity">): MiddlewareHandler<AppEnv> {
  return async (_, next) => {
    if (activity.draining)
      throw new HttpError("shutting_down", "the server is shutting down", {
        headers: { "retry-after": "5", connection: "close" },
      });
    await next();
  };
}

/**
 * Refuses work that would find its caller's line full, before its body is read,
 * a picture downloaded or decoded. Those that are past this and not yet with
 * the engine are bounded of their own, for each caller. The engine decides again, and finally,
 * when a request gets to it.
 */
export function createAdmission({
  engine,
  config,
}: Pick<Services, "engine" | "config">): MiddlewareHandler<AppEnv> {
  const preparing = createShares(config.limits.preparing);
  return async (c, next) => {
    const status = engine.status();
    const caller = c.get("caller");
    // Nobody waits for a queue without places: there the engine alone decides.
    const full = status.queueLimit > 0 && !engine.accepts(caller);
    if (full || !preparing.has(caller)) throw queueFull(status, preparing.taken);
    const leave = preparing.take(caller);
    c.get("life").atEnd(leave);
    c.set("prepared", leave);
    await next();
  };
}

function queueFull(status: EngineStatus, preparing: number): HttpError {
  return new HttpError(
    "queue_full",
    `the queue is full: ${status.queued} of ${status.queueLimit} places taken, ${preparing} requests on their way`,
    { headers: { "retry-after": String(retrySeconds(status)) } },
  );
}

/** About how long until a place is free: a second for each batch that waits. */
export function retrySeconds({ queued, batchSize }: EngineStatus): number {
  return Math.min(60, 1 + Math.floor(queued / Math.max(1, batchSize)));
}
