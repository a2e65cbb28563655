/** The real engine with the nano model, converted as `npm test` does before it runs tests. */
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Engine } from "@tinygptv/protocol";
import { createEngine } from "tinygptv";
import type { EngineOptions } from "tinygptv";

const nanoFolder = fileURLToPath(new URL("../../../models/nano/", import.meta.url));

/** A path among the nano model's sources and what is converted from them. */
export const nanoPath = (path: string): string => nanoFolder + path;

export function createNanoEngine(options: Omit<EngineOptions, "models"> = {}): Engine {
  return createEngine({ models: [nanoPath("converted")], ...options });
}

/** The one child of this process that runs the engine. */
export async function enginePid(): Promise<number> {
  const processes = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  for (const pid of processes) {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (status.includes(`PPid:\t${process.pid}\n`) && command.includes("engine/child.ts"))
      return Number(pid);
  }
  throw new Error("there is no engine process");
}
