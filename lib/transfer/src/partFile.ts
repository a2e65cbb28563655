/** What is on disk of a file so far, and what its source said of it. */
import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import { open, readFile, rename, rm, stat, statfs, writeFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { TinyGptvError, throwIfAborted } from "@tinygptv/protocol";
import { readChunks } from "./digest.ts";

interface Origin {
  name: string;
  validator: string;
}

export interface PartFile {
  /** Bytes that are there, and count. */
  bytes: number;
  /** Of these bytes. */
  hash: Hash;
  validator: string | undefined;
}

const partOf = (target: string) => `${target}.part`;
const originOf = (target: string) => `${target}.part.json`;

const nothing = (): PartFile => ({ bytes: 0, hash: createHash("sha256"), validator: undefined });

/** Takes up what an earlier transfer from this source left; what cannot be resumed does not count. */
export async function takeUp(
  target: string,
  name: string,
  signal: AbortSignal | undefined,
): Promise<PartFile> {
  const origin = await readOrigin(target);
  const part = nothing();
  if (origin?.name !== name || !(await stat(partOf(target)).catch(() => undefined))) return part;
  for await (const chunk of readChunks(partOf(target))) {
    throwIfAborted(signal);
    part.hash.update(chunk);
    part.bytes += chunk.byteLength;
  }
  return { ...part, validator: origin.validator };
}

async function readOrigin(target: string): Promise<Origin | undefined> {
  const text = await readFile(originOf(target), "utf8").catch(() => "");
  try {
    return JSON.parse(text) as Origin;
  } catch {
    return undefined; // none, or cut off when the machine went down
  }
}

/** Forgets what is there. */
export function startAnew(part: PartFile): void {
  Object.assign(part, nothing());
}

/** Opens the file for writing behind what counts; what is beyond is cut off. */
export async function openPart(
  target: string,
  part: PartFile,
  name: string,
  validator: string | undefined,
): Promise<FileHandle> {
  part.validator = validator;
  if (validator === undefined) await rm(originOf(target), { force: true });
  else await writeFile(originOf(target), JSON.stringify({ name, validator } satisfies Origin));
  const file = await open(partOf(target), part.bytes === 0 ? "w" : "r+");
  await file.truncate(part.bytes);
  return file;
}

export async function discardPart(target: string, part: PartFile): Promise<void> {
  startAnew(part);
  await rm(partOf(target), { force: true });
  await rm(originOf(target), { force: true });
}

/** Makes it the finished file. */
export async function finishPart(target: string): Promise<void> {
  await rename(partOf(target), target);
  await rm(originOf(target), { force: true });
}

/** @throws TinyGptvError `io` where the disk has not so many bytes left. */
export async function requireSpace(target: string, name: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(target));
  const free = bavail * bsize;
  if (free >= bytes) return;
  throw new TinyGptvError("io", `${name}: want ${bytes} free bytes on the disk, got ${free}`);
}
