import { once } from "node:events";
import { join } from "node:path";
import { exists } from "@tinygptv/model/disk";
import { modelsPath } from "@tinygptv/protocol/http";
import type { Environment } from "./environment.ts";
import { openEndpoint } from "./node.ts";
import { pageModels } from "./pageModels.ts";
import { withPages, type Api } from "./pages.ts";
import { startServer } from "./serve.ts";
import { openTrainings } from "./training/trainings.ts";

export { readEnvironment, type Environment } from "./environment.ts";

export interface RunOptions {
  /** Folder of a site to serve beside the API: the playground, built. */
  readonly site?: string;
  /** Whether pages of the site may download the models, which asks for no key; where no keys are configured unless given. */
  readonly offersModels?: boolean;
  /** Called with the address as soon as it answers there. */
  onListening?(url: string): void;
}

/**
 * Serves the endpoint, perhaps with a site beside it, until SIGTERM or SIGINT;
 * then refuses what comes, finishes what runs, and ends the engine. A second
 * signal ends at once, as signals do.
 *
 * @throws TinyGptvError "parameter" for an address that must not be listened on, "model" for a
 *   folder that holds none, "io" where it cannot listen; "network" and "io" from a model store
 */
export async function runEndpoint(
  environment: Environment,
  { site, offersModels, onListening }: RunOptions = {},
): Promise<void> {
  const { host, port, config, connections, keepAliveMs, shutdownGraceMs } = environment;
  const { app, engine, models, activity, trainings, log } = await openEndpoint(
    environment,
    openTrainings,
  );
  const hasKeys = config.keys.length > 0;
  const offered = (offersModels ?? !hasKeys) ? models : [];
  const silenceMs = config.limits.generationMs + 10_000;
  const server = await startServer({
    app: site === undefined ? app : await withSite(app, site, offered),
    activity,
    host,
    port,
    hasKeys,
    connections,
    keepAliveMs,
    silenceMs,
    bodyMs: config.limits.bodyMs,
  }).catch(async (error: unknown) => {
    await trainings?.close();
    await engine.close();
    throw error;
  });
  log.info({ url: server.url, models: environment.models }, "listening");
  if (!hasKeys) log.warn("no keys are configured: only this machine may call");
  onListening?.(server.url);

  const stop = new AbortController();
  const { signal } = stop;
  await Promise.race([once(process, "SIGTERM", { signal }), once(process, "SIGINT", { signal })]);
  stop.abort();
  log.info({ active: activity.active }, "shutting down");
  await trainings?.close();
  await server.close(shutdownGraceMs);
  await engine.close();
  log.info("closed");
}

/** A site that was built with models of its own keeps to those. */
async function withSite(app: Api, site: string, offered: readonly string[]) {
  const hasOwn = await exists(join(site, modelsPath, "index.json"));
  return hasOwn ? withPages(app, site) : withPages(app, site, await pageModels(offered));
}
