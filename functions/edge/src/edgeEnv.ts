import type { KeyConfig } from "./config.ts";

/** Hono's environment: what middleware leaves for those after it. */
export interface EdgeEnv {
  Variables: {
    requestId: string;
    /** Whose key it is. */
    caller: KeyConfig;
  };
}
