/** What routes work with. */
import type { Engine } from "@tinygptv/protocol";
import type { Logger } from "pino";
import type { Activity } from "./activity.ts";
import type { Config } from "./config.ts";
import type { PictureLoader } from "./images/loadPictures.ts";
import type { Lifetime } from "./lifetime.ts";
import type { ModelDirectory } from "./modelDirectory.ts";
import type { Metrics } from "./metrics.ts";
import type { Store } from "./store/store.ts";

export interface Services {
  readonly engine: Engine;
  readonly store: Store;
  readonly config: Config;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly activity: Activity;
  readonly pictures: PictureLoader;
  readonly models: ModelDirectory;
}

/** Hono's environment: what middleware leaves for those after it. */
export interface AppEnv {
  Variables: {
    requestId: string;
    life: Lifetime;
    /** Who calls: `key-1`, … or `local` where no keys are configured. */
    caller: string;
    /** Further fields of the request's log line. */
    logFields: Record<string, unknown>;
  };
}
