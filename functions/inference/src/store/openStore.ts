import { blobStore } from "./blobStore.ts";
import { fileStore } from "./fileStore.ts";
import { memoryStore } from "./memoryStore.ts";
import type { Store } from "./store.ts";

/** Bounds `memory`: pictures and notebooks of a short-lived instance. */
export const memoryStoreBytes = 512 * 2 ** 20;

/** The store a deployment names: `memory`, `blob` (credentials as its client takes them) or a folder. */
export function openStore(name: string): Store {
  if (name === "memory") return memoryStore({ maxBytes: memoryStoreBytes });
  return name === "blob" ? blobStore() : fileStore(name);
}
