import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { manifestName } from "@tinygptv/model";
import { readManifest } from "@tinygptv/model/disk";
import type { Store } from "../store/store.ts";
import { readIntact, type ListedFile } from "./digest.ts";
import { fileKey, manifestKey } from "./keys.ts";

export interface PushOptions {
  signal?: AbortSignal;
  /** Called before each file; `present` where the store has it already. */
  onFile?: (file: ListedFile, present: boolean) => void;
}

/**
 * Puts a converted model folder into a store: its files first (those the store
 * has are not sent again, so an interrupted push goes on where it was), its
 * manifest last. Files of earlier versions stay: an instance may be pulling them.
 *
 * @returns the model's name
 * @throws TinyGptvError `model` where a file is not what the manifest says;
 *   `conflict` where somebody else pushed another version meanwhile; what the store threw.
 */
export async function pushModel(
  store: Store,
  folder: string,
  { signal, onFile }: PushOptions = {},
): Promise<string> {
  const { name, files } = await readManifest(folder);
  const before = await store.head(manifestKey(name), { signal });
  for (const file of files) {
    const key = fileKey(name, file.sha256);
    const present = (await store.head(key, { signal }))?.size === file.bytes;
    onFile?.(file, present);
    if (!present) await store.put(key, readIntact(join(folder, file.path), file), { signal });
  }
  await store.put(manifestKey(name), await readFile(join(folder, manifestName)), {
    contentType: "application/json",
    signal,
    ...(before ? { ifMatch: before.etag } : { ifNoneMatch: "*" }),
  });
  return name;
}
