/**
 * The endpoint on Node, with everything it needs: the one place that opens
 * models. `app.ts` is the endpoint without them.
 */
import { pino } from "pino";
import type { Logger } from "pino";
import { EnvHttpProxyAgent, setGlobalDispatcher } from "undici";
import { readManifest } from "@tinygptv/model/disk";
import type { Engine } from "@tinygptv/protocol";
import { createEngine } from "tinygptv";
import { createActivity } from "./activity.ts";
import type { Activity } from "./activity.ts";
import { createApp } from "./app.ts";
import type { EndpointApp } from "./app.ts";
import type { Environment } from "./environment.ts";
import { pullModel } from "./modelStore/index.ts";
import { openStore } from "./store/index.ts";
import type { Store } from "./store/index.ts";
import type { OpenTrainings, Trainings } from "./training/trainings.ts";

export interface RunningEndpoint {
  readonly app: EndpointApp;
  readonly engine: Engine;
  /** Folders of its models. */
  readonly models: readonly string[];
  readonly activity: Activity;
  readonly trainings: Trainings | undefined;
  readonly log: Logger;
}

/**
 * Opens store and engine as the environment says, and the endpoint over them.
 * The engine loads a model when it is first asked for.
 *
 * @param openTrainings what trains, where the environment allows it
 * @throws TinyGptvError "model" for a folder that holds none, "network" and "io"
 *   from a model store
 */
export async function openEndpoint(
  environment: Environment,
  openTrainings?: OpenTrainings,
): Promise<RunningEndpoint> {
  const log = pino({ level: environment.logLevel });
  // The Blob client takes the process's own.
  if (environment.config.useProxy) setGlobalDispatcher(new EnvHttpProxyAgent());
  const store = openStore(environment.store);
  const models = await Promise.all(
    environment.models.map((model) => folderOf(model, store, environment)),
  );
  // Said now: the engine looks when it is first asked.
  const manifests = await Promise.all(models.map(readManifest));
  const engine = createEngine({
    ...environment.engine,
    models,
    onLoaded: ({ id: model, executionProvider: provider, execution }) =>
      log.info({ model, provider, execution }, "model loaded"),
    onCopies: ({ state, ...news }) =>
      log[state === "missing" ? "warn" : "info"](news, `copies for quick loads: ${state}`),
  });
  const activity = createActivity();
  const { config } = environment;
  const folders = new Map(manifests.map(({ name }, i) => [name, models[i]!]));
  const trainings =
    config.training === undefined
      ? undefined
      : await openTrainings?.({
          folder: config.training,
          models: folders,
          limits: config.limits,
          log,
        });
  const app = createApp({ engine, store, config, log, activity, ...(trainings && { trainings }) });
  return { app, engine, models, activity, trainings, log };
}

const storePrefix = "store:";

async function folderOf(model: string, store: Store, { modelCache }: Environment): Promise<string> {
  return model.startsWith(storePrefix)
    ? pullModel(store, model.slice(storePrefix.length), modelCache)
    : model;
}
