/** The edge function as a Cloudflare-style Worker; its configuration comes from bindings. */
import type { ExecutionContext } from "hono";
import { createApp } from "./app.ts";
import { readBindings } from "./bindings.ts";
import type { BucketStore } from "./rateLimiter.ts";

interface Bindings extends Record<string, unknown> {
  /** KV namespace, optional: isolates share their rate limits in it. */
  LIMITS?: BucketStore;
}

/** One app an isolate: its cache, counts and health of origins live as long. */
let app: ReturnType<typeof createApp> | undefined;

export default {
  fetch(request: Request, env: Bindings, context: ExecutionContext): Response | Promise<Response> {
    app ??= createApp(readBindings(env), { buckets: env.LIMITS, log: console.error });
    return app.fetch(request, env, context);
  },
};
