import type { MiddlewareHandler } from "hono";
import type { EngineStatus } from "@tinygptv/protocol";
import { HttpError } from "../errors.ts";
import type { AppEnv, Services } from "../services.ts";

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
 * Refuses work while the queue is full, before the body is read, a picture
 * downloaded or decoded. The engine decides again, and finally, when the
 * request gets there.
 */
export function refuseWhenFull({ engine }: Pick<Services, "engine">): MiddlewareHandler<AppEnv> {
  return async (_, next) => {
    const status = engine.status();
    // Nobody waits for a queue without places: there the engine alone decides.
    if (status.queued > 0 && status.queued >= status.queueLimit) throw queueFull(status);
    await next();
  };
}

function queueFull(status: EngineStatus): HttpError {
  return new HttpError(
    "queue_full",
    `the queue is full: ${status.queued} of ${status.queueLimit} places taken`,
    {
      headers: { "retry-after": String(retrySeconds(status)) },
    },
  );
}

/** About how long until a place is free: a second for each batch that waits. */
export function retrySeconds({ queued, batchSize }: EngineStatus): number {
  return Math.min(60, 1 + Math.floor(queued / Math.max(1, batchSize)));
}
