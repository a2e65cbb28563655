/** What routes work with. */
import type { MiddlewareHandler } from "hono";
import type { Engine } from "@tinygptv/protocol";
import type { Logger } from "pino";
import type { Activity } from "./activity.ts";
import type { ByteBudget } from "./byteBudget.ts";
import type { Config } from "./config.ts";
import type { PictureLoader } from "./images/loadPictures.ts";
import type { PictureStore } from "./images/pictureStore.ts";
import type { Lifetime } from "./lifetime.ts";
import type { ModelDirectory } from "./modelDirectory.ts";
import type { Metrics } from "./metrics.ts";
import type { NotebookStore } from "./notebookStore.ts";
import type { Store } from "./store/store.ts";
import type { Trainings } from "./training/trainings.ts";

export interface Services {
  readonly engine: Engine;
  readonly store: Store;
  readonly config: Config;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly activity: Activity;
  /** Memory for the bodies of all requests. */
  readonly bodies: ByteBudget;
  /** Middleware of routes that give the engine work. */
  readonly admit: MiddlewareHandler<AppEnv>;
  /** Loads the pictures that requests name. */
  readonly pictures: PictureLoader;
  /** Keeps those that are uploaded. */
  readonly pictureStore: PictureStore;
  readonly notebookStore: NotebookStore;
  /** To be called when something was kept. */
  readonly sweep: () => void;
  readonly models: ModelDirectory;
  /** Undefined where nobody may train. */
  readonly trainings: Trainings | undefined;
}

/** Hono's environment: what middleware leaves for those after it. */
export interface AppEnv {
  Variables: {
    requestId: string;
    life: Lifetime;
    /** Who calls: `key-1`, … or `local` where no keys are configured. */
    caller: string;
    /** Whose pictures and notebooks are seen: the caller's own, unless all share them. */
    tenant: string;
    /** The request is ready for the engine: its place among those on their way is free. */
    prepared: () => void;
    /** Further fields of the request's log line. */
    logFields: Record<string, unknown>;
  };
}
