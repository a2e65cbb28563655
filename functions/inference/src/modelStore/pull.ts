import { copyFile, link, mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { manifestName, manifestSchema } from "@tinygptv/model";
import { readManifest } from "@tinygptv/model/disk";
import { TinyGptvError } from "@tinygptv/protocol";
import { transfer } from "@tinygptv/transfer";
import type { RetryOptions } from "@tinygptv/transfer";
import { diskError } from "../store/diskError.ts";
import { withFolderLock } from "../store/folderLock.ts";
import type { Store } from "../store/store.ts";
import { isIntact, sizeOf, type ListedFile } from "./digest.ts";
import { fetchManifest } from "./fetchManifest.ts";
import { fileKey } from "./keys.ts";
import { storeSource } from "./storeSource.ts";

export interface FetchOptions extends RetryOptions {
  /** Called as bytes arrive, with how many of the file's are on disk. */
  onProgress?: (file: ListedFile, have: number) => void;
  /** Milliseconds without a byte after which a connection counts as dead (default 60,000). */
  stallTimeout?: number;
}

/**
 * Brings a model from a store to this disk, as `root/name@version`, the version
 * being the digest of its manifest: complete or not there at all. What is
 * already here is checked and kept (a damaged file is fetched again; one that
 * another version has is linked), a pull that was interrupted goes on where it
 * was, and of several processes one pulls while the others wait. The version
 * before stays, for processes that still use it; older ones are removed.
 *
 * @returns the folder, ready for the engine
 * @throws TinyGptvError `model` where the store does not have the model;
 *   `network`, `io`, `aborted`.
 */
export async function pullModel(
  store: Store,
  name: string,
  root: string,
  options: FetchOptions = {},
): Promise<string> {
  if (!manifestSchema.shape.name.safeParse(name).success)
    throw new TinyGptvError(
      "parameter",
      `model: want a model's name, got ${JSON.stringify(name)}`,
      { subject: "model" },
    );
  const work = join(root, ".pull", name);
  const pull = (lost: AbortSignal) => {
    const signal = options.signal ? AbortSignal.any([lost, options.signal]) : lost;
    return pullAlone(store, name, root, work, { ...options, signal });
  };
  try {
    return await withFolderLock(join(work, "lock"), pull, { signal: options.signal });
  } catch (error) {
    throw diskError("pull", name, error);
  }
}

async function pullAlone(
  store: Store,
  name: string,
  root: string,
  work: string,
  options: FetchOptions,
): Promise<string> {
  const { manifest, json, version } = await fetchManifest(store, name, options);
  const complete = join(root, `${name}@${version}`);
  const building = join(work, version);
  const isHere = (await sizeOf(complete)) !== undefined;
  const folder = isHere ? complete : building;
  const copies = await filesOf(
    (await versionsOf(root, name)).filter((other) => other !== complete),
  );

  await mkdir(join(work, "parts"), { recursive: true });
  for (const file of manifest.files) {
    const path = join(folder, file.path);
    if (!(await isIntact(path, file))) {
      const part = join(work, "parts", file.sha256);
      if (!(await takeCopy(copies.get(file.sha256), file, part)))
        await transfer({
          ...options,
          source: storeSource(store, fileKey(name, file.sha256), file),
          target: part,
          bytes: file.bytes,
          sha256: file.sha256,
          onProgress: (have) => options.onProgress?.(file, have),
        });
      await mkdir(dirname(path), { recursive: true });
      await rename(part, path);
    }
    copies.set(file.sha256, path);
  }
  const part = join(work, "parts", manifestName);
  await writeFile(part, json, { flush: true });
  await rename(part, join(folder, manifestName));
  if (!isHere) await rename(building, complete);
  await tidy(root, name, work, complete);
  return complete;
}

/** Folders of the versions of a model on this disk. */
async function versionsOf(root: string, name: string): Promise<string[]> {
  const folders = await readdir(root);
  return folders
    .filter((folder) => folder.startsWith(`${name}@`))
    .map((folder) => join(root, folder));
}

/** Where other versions have files, by sha256. */
async function filesOf(folders: readonly string[]): Promise<Map<string, string>> {
  const paths = new Map<string, string>();
  for (const folder of folders) {
    const manifest = await readManifest(folder).catch(() => undefined); // a version nobody can use
    for (const { sha256, path } of manifest?.files ?? []) paths.set(sha256, join(folder, path));
  }
  return paths;
}

/** Takes a file that is on this disk already; linked where the disk can, as files of models never change. */
async function takeCopy(
  copy: string | undefined,
  file: ListedFile,
  path: string,
): Promise<boolean> {
  if (copy === undefined || !(await isIntact(copy, file))) return false;
  await rm(path, { force: true });
  await link(copy, path).catch(() => copyFile(copy, path));
  return true;
}

/** Removes what earlier pulls left and all versions but this one and the latest before it. */
async function tidy(root: string, name: string, work: string, complete: string): Promise<void> {
  const leftovers = (await readdir(work)).filter((entry) => entry !== "lock");
  for (const entry of leftovers) await rm(join(work, entry), { recursive: true });
  const others = (await versionsOf(root, name)).filter((folder) => folder !== complete);
  const aged = await Promise.all(
    others.map(async (folder) => ({ folder, age: (await stat(folder)).mtimeMs })),
  );
  const [, ...older] = aged.toSorted((a, b) => b.age - a.age);
  for (const { folder } of older) await rm(folder, { recursive: true });
}
