import { once } from "node:events";
import { TinyGptvError } from "@tinygptv/protocol";
import { openEndpoint } from "./node.ts";
import type { RunningEndpoint } from "./node.ts";
import { startServer } from "./serve.ts";
import type { ServeOptions } from "./serve.ts";

/**
 * The endpoint as a program, set up by environment variables; `around` makes a
 * larger app of it. What keeps it from starting is told in a line.
 */
export async function runProgram(
  around: (app: RunningEndpoint["app"]) => ServeOptions["app"] = (app) => app,
): Promise<void> {
  try {
    const endpoint = await openEndpoint(process.env);
    await runServer(endpoint, around(endpoint.app));
  } catch (error) {
    if (!(error instanceof TinyGptvError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

/**
 * Serves an endpoint, or a larger app around it, until SIGTERM or SIGINT; then
 * refuses what comes, finishes what runs, and ends the engine. A second signal
 * ends at once, as signals do.
 */
async function runServer(
  { engine, activity, log, environment }: RunningEndpoint,
  app: ServeOptions["app"],
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
  }).catch(async (error: unknown) => {
    await engine.close();
    throw error;
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
