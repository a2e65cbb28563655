import { createHash } from "node:crypto";
import { readFile, readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { expect } from "vitest";
import { manifestName, type Manifest } from "../../lib/model/src/manifest.ts";
import { readManifest } from "../../lib/model/src/readManifest.ts";

/** Expects a model folder to hold exactly the files its manifest lists, with these contents. */
export async function expectSound(folder: string): Promise<Manifest> {
  const manifest = await readManifest(folder);
  const listed = manifest.files.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 }));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((path) => path !== manifestName);
  const actual = await Promise.all(
    found.map(async (path) => ({
      path,
      bytes: (await stat(join(folder, path))).size,
      sha256: createHash("sha256")
        .update(await readFile(join(folder, path)))
        .digest("hex"),
    })),
  );
  const byPath = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : 1);
  expect(listed.toSorted(byPath)).toEqual(actual.toSorted(byPath));
  return manifest;
}
