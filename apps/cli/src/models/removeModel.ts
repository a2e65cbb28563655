import { readdir, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { adaptersFolder, manifestName } from "@tinygptv/model";
import { adapterNames, readAdapterManifest } from "@tinygptv/model/disk";
import type { Manifest } from "@tinygptv/model";
import { copyFolders } from "tinygptv";

/**
 * Removes a converted model: what its manifest lists, and the copies and adapters beside it.
 * Anything else in the folder is somebody else's and stays.
 * @returns what stayed, if the folder did
 */
export async function removeModel(folder: string, manifest: Manifest): Promise<string[]> {
  const copies = await copiesIn(folder, manifest);
  for (const name of await adapterNames(folder)) await removeAdapter(folder, name);
  // First: from now on this is no model, however far the rest comes.
  await rm(join(folder, manifestName));
  await removeFolders(copies);
  const folders = new Set<string>(copies.map((copy) => dirname(copy)));
  for (const { path } of manifest.files) {
    await rm(join(folder, path), { force: true });
    folders.add(dirname(join(folder, path)));
  }
  folders.delete(folder);
  for (const empty of folders) await removeIfEmpty(empty);
  await removeIfEmpty(folder);
  return readdir(folder).catch(() => []);
}

/**
 * Removes an adapter beside a model.
 * @returns bytes that its files took
 * @throws TinyGptvError "model" for one that is not there, naming those that are
 */
export async function removeAdapter(model: string, name: string): Promise<number> {
  const { folder, manifest } = await readAdapterManifest(model, name);
  await rm(folder, { recursive: true });
  await removeIfEmpty(join(model, adaptersFolder));
  return manifest.files.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Removes copies of graphs that a model no longer has. */
export async function removeCopies(
  folder: string,
  before: Manifest,
  after: Manifest,
): Promise<void> {
  const kept = new Set(await copiesIn(folder, after));
  await removeFolders((await copiesIn(folder, before)).filter((copy) => !kept.has(copy)));
}

async function copiesIn(folder: string, manifest: Manifest): Promise<string[]> {
  const graphs = new Set(Object.values(manifest.levels).flatMap((files) => Object.values(files)));
  const found = [...graphs].map((graph) => copyFolders(folder, manifest, graph));
  return (await Promise.all(found)).flat();
}

async function removeFolders(folders: readonly string[]): Promise<void> {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
}

async function removeIfEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOTEMPTY" && error.code !== "ENOENT") throw error;
  });
}
