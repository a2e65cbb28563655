import type { Context } from "hono";
import type { Round } from "@tinygptv/protocol";
import type { Config } from "./config.ts";
import type { AppEnv } from "./services.ts";

/** What a request's log line says of it: which model, and the texts only where that is asked for. */
export function logQuestion(
  c: Context<AppEnv>,
  { logContent }: Config,
  model: string | readonly string[],
  rounds: readonly Round[],
): void {
  Object.assign(c.get("logFields"), { model }, logContent ? { rounds } : {});
}
