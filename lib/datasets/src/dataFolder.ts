/** A data set as it lies on a disk: its annotation files, found by name, and its pictures. */
import { readFile, readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import { TinyGptvError } from "@tinygptv/protocol";
import { whatWasRead } from "@tinygptv/model/disk";
import type { Picture } from "./row.ts";
import { wrongData } from "./wrongData.ts";

/** Where a data set is looked for. */
export interface DataFolder {
  /** As it was given. */
  readonly path: string;
  /** The annotation file itself, where that was given. */
  readonly file: string | undefined;
  /** Files below, relative to the folder, with `/`, in the order of their names. */
  readonly files: readonly string[];
  /** The path on the disk of a file below. */
  resolve(file: string): string;
  /**
   * The picture of this name, or of the first of these names that there is. Where
   * several have its last part, the one that shares most of its folders.
   * @param at what names it, for the message
   * @throws TinyGptvError "image" where there is none, or more than one
   */
  picture(name: string | readonly string[], at: string): Picture;
}

/**
 * @param path a folder, or an annotation file in one
 * @param images where the pictures are, if not below the folder
 * @throws TinyGptvError "parameter" where there is nothing
 */
export async function openDataFolder(path: string, images?: string): Promise<DataFolder> {
  const isFile = (await entryAt(path)).isFile();
  const root = isFile ? dirname(path) : path;
  const files = await filesBelow(root);
  const isElsewhere = images !== undefined;
  const pictureRoot = images ?? root;
  if (isElsewhere) await entryAt(images);
  const pictures = byLastPart(isElsewhere ? await filesBelow(images) : files);
  return {
    path,
    file: isFile ? basename(path) : undefined,
    files,
    resolve: (file) => join(root, file),
    picture(names, at) {
      const all = [names].flat();
      const name = all.find((one) => pictures.has(basename(one))) ?? all[0]!;
      const file = find(pictures, name, at, pictureRoot);
      return { name: file, read: () => readPicture(join(pictureRoot, file), at) };
    },
  };
}

async function entryAt(path: string) {
  return stat(path).catch((cause: unknown) => {
    throw wrongData(path, "a folder of data or a file of it", whatWasRead(cause), cause);
  });
}

/** Links are followed, each folder once. */
async function filesBelow(root: string): Promise<string[]> {
  const seen = new Set<string>();
  async function walk(folder: string): Promise<string[]> {
    const real = await realpath(folder);
    if (seen.has(real)) return [];
    seen.add(real);
    const entries = await readdir(folder, { withFileTypes: true });
    const files: string[] = [];
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      const found = entry.isSymbolicLink() ? await stat(path).catch(() => undefined) : entry;
      if (found?.isDirectory()) files.push(...(await walk(path)));
      else if (found?.isFile()) files.push(relative(root, path).split(sep).join("/"));
    }
    return files;
  }
  return walk(root);
}

type FilesByName = ReadonlyMap<string, readonly string[]>;

function byLastPart(files: readonly string[]): FilesByName {
  const byName = new Map<string, string[]>();
  for (const file of files) {
    const name = basename(file);
    const others = byName.get(name);
    if (others === undefined) byName.set(name, [file]);
    else others.push(file);
  }
  return byName;
}

function find(pictures: FilesByName, name: string, at: string, root: string): string {
  const candidates = pictures.get(basename(name)) ?? [];
  const shared = candidates.map((file) => sharedEnd(file.split("/"), name.split("/")));
  const most = Math.max(0, ...shared);
  const [best, other] = candidates.filter((_, i) => shared[i] === most);
  if (best === undefined)
    throw new TinyGptvError("image", `${at}: want the picture ${name} below ${root}, got none`, {
      subject: at,
    });
  if (other !== undefined)
    throw new TinyGptvError(
      "image",
      `${at}: want one picture ${name} below ${root}, got ${best} and ${other}`,
      { subject: at },
    );
  return best;
}

/** How many parts of two paths are the same, from their ends. */
function sharedEnd(a: readonly string[], b: readonly string[]): number {
  let count = 0;
  while (count < a.length && count < b.length && a.at(-1 - count) === b.at(-1 - count)) count++;
  return count;
}

async function readPicture(path: string, at: string): Promise<Uint8Array> {
  return readFile(path).catch((cause: unknown) => {
    const found = whatWasRead(cause);
    throw new TinyGptvError("image", `${at}: ${path}: want a picture, got ${found}`, { cause });
  });
}
