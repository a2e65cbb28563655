import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Manifest } from "@tinygptv/model";
import { placeOfCopy } from "./openGraph.ts";

/**
 * Folders of a graph's copies inside the model's own, of whatever machine and
 * version; for those who count or remove them.
 * @param graph path inside the model folder
 */
export async function copyFolders(
  folder: string,
  manifest: Manifest,
  graph: string,
): Promise<string[]> {
  const place = placeOfCopy(folder, manifest, graph);
  const names = await readdir(place.folder).catch(() => []);
  return names
    .filter((name) => name.replace(/-[0-9a-f]{16}$/, "") === place.name)
    .map((name) => join(place.folder, name));
}
