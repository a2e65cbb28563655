import { readdir } from "node:fs/promises";
import { join } from "node:path";

/**
 * The keys under a file store's folder, in the order of their code units, from
 * the first one after `after`. Folders sort with their slash, which gives the
 * order of whole keys; those that cannot hold a wanted key are not read.
 */
export async function* walkKeys(
  root: string,
  prefix: string,
  after: string,
  folder = "",
): AsyncGenerator<string> {
  const children = await readdir(join(root, folder), { withFileTypes: true }).catch((error) => {
    if (error.code === "ENOENT") return []; // removed meanwhile, or nothing was ever written
    throw error;
  });
  const keys = children
    .filter(
      (child) => child.name.endsWith("=") !== child.isDirectory() && !child.name.startsWith("="),
    )
    .map((child) => folder + (child.isDirectory() ? `${child.name}/` : child.name.slice(0, -1)))
    .toSorted();
  for (const key of keys) {
    if (!key.endsWith("/")) {
      if (key.startsWith(prefix) && key > after) yield key;
    } else if (
      (key.startsWith(prefix) || prefix.startsWith(key)) &&
      (key > after || after.startsWith(key))
    ) {
      yield* walkKeys(root, prefix, after, key);
    }
  }
}
