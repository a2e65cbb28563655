/** A converted model on disk appears whole or not at all. */
import { createHash } from "node:crypto";
import { copyFile, mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { TinyGptvError } from "../errors.ts";
import type { WrittenFile } from "../graph/modelFile.ts";
import { manifestName, readManifest, type Manifest } from "../manifest.ts";

export interface FolderWriter {
  /** Absolute path for a file of the model; its folder exists. */
  path(name: string): Promise<string>;
  /** Records files that were written under `path`. */
  add(files: readonly WrittenFile[]): void;
  copy(from: string, name: string): Promise<void>;
  readonly files: Manifest["files"];
  /** Everything `path` was asked for, whether or not it was written in full. */
  readonly started: readonly string[];
}

/**
 * Lets `write` fill a folder beside `out` and moves it into place once the
 * manifest is in it. On any error nothing is left, and what was at `out` stays.
 * @param replace whether a model that is already there may be replaced
 */
export async function writeModelFolder(
  out: string,
  replace: boolean,
  write: (folder: FolderWriter) => Promise<Manifest>,
): Promise<Manifest> {
  if (!replace && (await exists(out)))
    throw new TinyGptvError(
      "io",
      `${out}: want a path where nothing is, got one that exists; use --force to replace it`,
    );
  const partial = `${out}.partial`;
  await rm(partial, { recursive: true, force: true });
  try {
    await mkdir(partial, { recursive: true });
    const manifest = await write(createFolderWriter(partial));
    await writeDurably(join(partial, manifestName), `${JSON.stringify(manifest, null, 2)}\n`);
    await moveIntoPlace(partial, out);
    return manifest;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw diskError(error, out);
  }
}

/**
 * Adds files to a model folder and then replaces its manifest, in one step. On
 * any error the new files are removed, and the folder is as it was.
 * @param write writes files the manifest does not name; returns the levels to be
 * Errors: "conflict" where the manifest changed meanwhile.
 */
export async function updateModelFolder(
  folder: string,
  manifest: Manifest,
  write: (writer: FolderWriter) => Promise<Manifest["levels"]>,
): Promise<Manifest> {
  const writer = createFolderWriter(folder);
  const path = join(folder, manifestName);
  let updated: Manifest;
  try {
    const levels = await write(writer);
    const current = await readManifest(folder);
    if (JSON.stringify(current) !== JSON.stringify(manifest))
      throw new TinyGptvError(
        "conflict",
        `${folder}: want the model as it was when the work began, got one that was changed meanwhile; try again`,
      );
    const files = [...manifest.files, ...writer.files].filter(isUsedBy(levels));
    updated = { ...manifest, levels, files };
    await writeDurably(`${path}.partial`, `${JSON.stringify(updated, null, 2)}\n`);
    await rename(`${path}.partial`, path);
  } catch (error) {
    for (const file of [...writer.started, `${path}.partial`]) await rm(file, { force: true });
    throw diskError(error, folder);
  }
  for (const file of manifest.files)
    if (!isUsedBy(updated.levels)(file)) await rm(join(folder, file.path), { force: true });
  return updated;
}

/** Files that are no graph, or a graph of some level. */
function isUsedBy(levels: Manifest["levels"]): (file: { path: string }) => boolean {
  const graphs = new Set(Object.values(levels).flatMap((level) => Object.values(level)));
  return ({ path }) => {
    const graph = path.replace(/\.data$/, "");
    return !graph.endsWith(".onnx") || graphs.has(graph);
  };
}

function createFolderWriter(root: string): FolderWriter {
  const files: Manifest["files"] = [];
  const started: string[] = [];
  const path = async (name: string) => {
    const target = join(root, name);
    started.push(target, `${target}.data`);
    await mkdir(dirname(target), { recursive: true });
    return target;
  };
  return {
    files,
    started,
    path,
    add: (written) => {
      for (const file of written)
        files.push({
          path: relative(root, file.path).split(sep).join("/"),
          bytes: file.bytes,
          sha256: file.sha256,
        });
    },
    copy: async (from, name) => {
      await copyFile(from, await path(name));
      const bytes = await readFile(join(root, name));
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      files.push({ path: name, bytes: bytes.byteLength, sha256 });
    },
  };
}

async function moveIntoPlace(partial: string, out: string): Promise<void> {
  if (!(await exists(out))) return rename(partial, out);
  const old = `${out}.old`;
  await rm(old, { recursive: true, force: true });
  await rename(out, old);
  await rename(partial, out);
  await rm(old, { recursive: true, force: true });
}

async function writeDurably(path: string, text: string): Promise<void> {
  await writeFile(path, text);
  const file = await open(path, "r");
  await file.sync().finally(() => file.close());
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

/** A full or read-only disk in our own words; everything else as it is. */
function diskError(error: unknown, out: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  const reasons: Record<string, string> = {
    ENOSPC: "the disk is full",
    EDQUOT: "the disk quota is used up",
    EROFS: "the file system is read-only",
    EACCES: "permission denied",
  };
  const reason = code ? reasons[code] : undefined;
  return reason
    ? new TinyGptvError("io", `${out}: cannot write the model: ${reason}`, { cause: error })
    : error;
}
