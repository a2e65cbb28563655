import { once } from "node:events";
import type { Endpoint } from "./node.ts";
import { startServer } from "./serve.ts";
import type { ServeOptions } from "./serve.ts";

/**
 * Serves an endpoint, or a larger app around it, until SIGTERM or SIGINT; then
 * refuses what comes, finishes what runs, and ends the engine. A second signal
 * ends at once, as signals do.
 */
export async function runServer(
  { app: endpoint, engine, activity, log, environment }: Endpoint,
  app: ServeOptions["app"] = endpoint,
): Promise<void> {
  const { host, port, config, connections, keepAliveMs, shutdownGraceMs } = environment;
  const hasKeys = config.keys.length > 0;
  const silenceMs = config.limits.generationMs + 10_000;
  const server = await startServer({
    app,
    activity,
    host,
    port,
    hasKeys,
    connections,
    keepAliveMs,
    silenceMs,
    bodyMs: config.limits.bodyMs,
  });
  log.info({ url: server.url, models: environment.models }, "listening");
  if (!hasKeys) log.warn("no keys are configured: only this machine may call");

  const stop = new AbortController();
  const { signal } = stop;
  await Promise.race([once(process, "SIGTERM", { signal }), once(process, "SIGINT", { signal })]);
  stop.abort();
  log.info({ active: activity.active }, "shutting down");
  await server.close(shutdownGraceMs);
  await engine.close();
  log.info("closed");
}
