/** The real engine with the nano model, converted as `npm test` does before it runs tests. */
import { fileURLToPath } from "node:url";
import type { Engine } from "@tinygptv/protocol";
import { createEngine } from "tinygptv";

const nanoFolder = fileURLToPath(new URL("../../../models/nano/", import.meta.url));

/** A path among the nano model's sources and what is converted from them. */
export const nanoPath = (path: string): string => nanoFolder + path;

export function createNanoEngine(options: { maxBatch?: number; queueLimit?: number } = {}): Engine {
  return createEngine({ models: [nanoPath("converted")], ...options });
}
