/** The part of a download that is on disk already, and what says whether the server still has the same file. */
import { open, readFile, rename, rm, stat, statfs, writeFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { TinyGptvError } from "@tinygptv/protocol";

interface Origin {
  url: string;
  /** ETag or Last-Modified, for If-Range. */
  validator: string;
}

export interface PartFile {
  readonly path: string;
  size(): Promise<number>;
  /** Where the bytes came from; undefined where nothing can be resumed. */
  origin(): Promise<Origin | undefined>;
  /** Opens the file for writing from `start` on; what was beyond is cut off. */
  openAt(start: number, origin: Origin | undefined): Promise<FileHandle>;
  discard(): Promise<void>;
  /** Makes it the finished file. */
  finish(): Promise<void>;
}

export function partFileOf(target: string): PartFile {
  const path = `${target}.part`;
  const originPath = `${target}.part.json`;
  return {
    path,
    size: async () => (await stat(path).catch(() => undefined))?.size ?? 0,
    async origin() {
      const text = await readFile(originPath, "utf8").catch(() => undefined);
      return text === undefined ? undefined : (JSON.parse(text) as Origin);
    },
    async openAt(start, origin) {
      if (origin) await writeFile(originPath, JSON.stringify(origin));
      else await rm(originPath, { force: true });
      const file = await open(path, start === 0 ? "w" : "r+");
      await file.truncate(start);
      return file;
    },
    async discard() {
      await rm(path, { force: true });
      await rm(originPath, { force: true });
    },
    async finish() {
      await rename(path, target);
      await rm(originPath, { force: true });
    },
  };
}

/** @throws TinyGptvError `io` where a folder's disk has not so many bytes left. */
export async function requireSpace(path: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(path));
  const free = bavail * bsize;
  if (free >= bytes) return;
  throw new TinyGptvError("io", `${path}: want ${bytes} free bytes on the disk, got ${free}`);
}

/** What the disk refused, in words; the part that is there stays for the next try. */
export function diskError(error: unknown, path: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined || !/^E[A-Z]+$/.test(code)) return error;
  const reason = code === "ENOSPC" ? "the disk is full" : message;
  return new TinyGptvError("io", `${path}: want to write, got: ${reason}`, { cause: error });
}
