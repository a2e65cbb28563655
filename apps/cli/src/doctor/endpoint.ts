/** The endpoint's variables, and the store that they name. */
import { once } from "node:events";
import { TinyGptvError } from "@tinygptv/protocol";
import { about } from "./finding.ts";
import type { Finding } from "./finding.ts";

/** Milliseconds after which a store counts as one that does not answer. */
const patienceMs = 10_000;

export async function checkEndpoint(env: NodeJS.ProcessEnv = process.env): Promise<Finding[]> {
  const [settings, store] = [about("settings"), about("store")];
  const { readEnvironment } = await import("@tinygptv/inference/run");
  try {
    const environment = readEnvironment(env);
    const keys = environment.config.keys.length;
    const findings = [settings.ok(keys === 0 ? "no keys: this machine only" : `${keys} keys`)];
    // The default folder is made when it is first needed; looking would make it.
    if (env["TINYGPTV_STORE"] === undefined)
      return [...findings, store.ok(`folder ${environment.store}, unless TINYGPTV_STORE says`)];
    return [...findings, await checkStore(environment.store)];
  } catch (error) {
    if (!(error instanceof TinyGptvError)) throw error;
    return [settings.fix(error.message)];
  }
}

async function checkStore(name: string): Promise<Finding> {
  const say = about("store");
  const { openStore } = await import("@tinygptv/inference/store");
  try {
    const signal = AbortSignal.timeout(patienceMs);
    // A dead mount does not even hear the signal.
    const late = once(signal, "abort").then(() => Promise.reject(new Error("no answer")));
    await Promise.race([openStore(name).check({ signal }), late]);
    return say.ok(`${name} can be written`);
  } catch (error) {
    return say.fix(`${name}: cannot be written: ${(error as Error).message}`);
  }
}
