/** The edge function in Vercel's edge runtime; its configuration comes from process variables. */
import { createApp } from "./app.ts";
import { readBindings } from "./bindings.ts";

interface RequestContext {
  waitUntil(promise: Promise<unknown>): void;
}

/** One app an isolate: its cache, counts and health of origins live as long. */
let app: ReturnType<typeof createApp> | undefined;

export default function handle(
  request: Request,
  context: RequestContext,
): Response | Promise<Response> {
  app ??= createApp(readBindings(process.env), { log: console.error });
  return app.fetch(request, process.env, {
    waitUntil: (promise) => context.waitUntil(promise),
    passThroughOnException: () => {},
    props: {},
  });
}
