/** A converted model on disk appears whole or not at all. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, rename, rm, statfs } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { getSystemErrorMessage } from "node:util";
import type { WrittenFile } from "@tinygptv/graph/disk";
import { manifestName } from "@tinygptv/model";
import {
  cleanUpAfterKilled,
  exists,
  moveIntoPlace,
  onDisk,
  readManifest,
  withScratchName,
  writeDurably,
} from "@tinygptv/model/disk";
import type { Manifest } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";

export interface FolderWriter {
  /** Absolute path for a file of the model; its folder exists. */
  path(name: string): Promise<string>;
  /** Records files that were written under `path`. */
  add(files: readonly WrittenFile[]): void;
  copy(from: string, name: string): Promise<void>;
  /** @returns bytes free on its disk @throws TinyGptvError "io" where those are fewer than `bytes` */
  requireSpace(bytes: number): Promise<number>;
  readonly files: Manifest["files"];
  /** Everything `path` was asked for, whether or not it was written in full. */
  readonly started: readonly string[];
}

/** A folder that is one thing, by the manifest in it. */
export interface FolderKind {
  /** In messages. */
  readonly what: string;
  readonly manifestName: string;
}

const model: FolderKind = { what: "model", manifestName };

/** Writes a model's folder, see `writeFolder`. */
export const writeModelFolder = (
  out: string,
  replace: boolean,
  write: (folder: FolderWriter) => Promise<Manifest>,
): Promise<Manifest> => writeFolder(model, out, replace, write);

/**
 * Lets `write` fill a folder beside `out` and moves it into place once the
 * manifest is in it. On any error nothing is left, and what was at `out` stays.
 * Of two at once that write to one `out`, the first to be done has it, unless
 * the other may replace it.
 * @param replace whether one of its kind that is already there may be replaced; nothing else ever is
 * @param write returns the manifest
 * Errors: "io" for the disk and where something is at `out`; those of `write` as they are.
 */
export async function writeFolder<Contents extends object>(
  kind: FolderKind,
  out: string,
  replace: boolean,
  write: (folder: FolderWriter) => Promise<Contents>,
): Promise<Contents> {
  const target = resolve(out);
  await onDisk(target, () => cleanUpAfterKilled(target));
  await requireFree(kind, target, replace);
  return withScratchName(target, "partial", async (partial) => {
    try {
      // Apart: making both at once would call a read-only file system a missing folder.
      await mkdir(dirname(partial), { recursive: true });
      await mkdir(partial);
      const manifest = await write(createFolderWriter(partial, target));
      await writeDurably(
        join(partial, kind.manifestName),
        `${JSON.stringify(manifest, null, 2)}\n`,
      );
      await requireFree(kind, target, replace);
      if (!(await moveIntoPlace(partial, target, replace))) throw isThere(target);
      return manifest;
    } catch (error) {
      // What went wrong first is what counts.
      await rm(partial, { recursive: true, force: true }).catch(() => undefined);
      throw diskError(error, target, kind);
    }
  });
}

async function requireFree(
  { what, manifestName: name }: FolderKind,
  out: string,
  replace: boolean,
): Promise<void> {
  if (!(await exists(out))) return;
  if (!replace) throw isThere(out);
  const names = await readdir(out).catch(() => ["a file"]);
  if (names.length > 0 && !names.includes(name))
    throw new TinyGptvError(
      "io",
      `${out}: want a converted ${what} to replace (a folder with ${name}), got ${names.slice(0, 5).join(", ")}`,
    );
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
    throw diskError(error, folder, model);
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

/** @param title what the folder is called in messages */
function createFolderWriter(root: string, title = root): FolderWriter {
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
      const hash = createHash("sha256");
      let bytes = 0;
      async function* pieces() {
        for await (const piece of createReadStream(from) as AsyncIterable<Uint8Array>) {
          hash.update(piece);
          bytes += piece.length;
          yield piece;
        }
      }
      const target = await path(name);
      await onDisk(from, () => writeDurably(target, pieces()));
      files.push({ path: name, bytes, sha256: hash.digest("hex") });
    },
    requireSpace: async (bytes) => {
      const { bavail, bsize } = await statfs(root);
      const free = bavail * bsize;
      if (free >= bytes) return free;
      throw new TinyGptvError(
        "io",
        `${title}: want ${bytes} bytes of free disk space, got ${free}`,
        { subject: title },
      );
    },
  };
}

function isThere(out: string): TinyGptvError {
  return new TinyGptvError(
    "io",
    `${out}: want a path where nothing is, got one that exists; use --force to replace it`,
  );
}

/** What the operating system refused as our own error; everything else as it is. */
function diskError(error: unknown, out: string, { what }: FolderKind): unknown {
  const { errno } = error as NodeJS.ErrnoException;
  if (errno === undefined) return error;
  const reason = getSystemErrorMessage(errno);
  return new TinyGptvError("io", `${out}: cannot write the ${what}: ${reason}`, {
    subject: out,
    cause: error,
  });
}
