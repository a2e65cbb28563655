import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import type { Manifest } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";
import { readChunks, sha256Of } from "@tinygptv/transfer";

/** A file as a manifest lists it. */
export type ListedFile = Manifest["files"][number];

/** Bytes of a file on disk, undefined where there is none. */
export async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
}

/** Whether the file on disk is the one listed: same length, same sha256. */
export async function isIntact(path: string, file: ListedFile): Promise<boolean> {
  return (await sizeOf(path)) === file.bytes && (await sha256Of(path)) === file.sha256;
}

/**
 * The chunks of a local file, if they are the listed ones: throws "model" at
 * the end of one that is not, so that whoever takes them in keeps nothing.
 */
export async function* readIntact(path: string, file: ListedFile): AsyncGenerator<Uint8Array> {
  const wrong = (got: string) =>
    new TinyGptvError(
      "model",
      `${file.path}: want ${file.bytes} bytes, sha256 ${file.sha256}, got ${got}`,
      {
        subject: file.path,
      },
    );
  const bytes = await sizeOf(path);
  if (bytes !== file.bytes) throw wrong(bytes === undefined ? "no such file" : `${bytes} bytes`);
  const hash = createHash("sha256");
  for await (const chunk of readChunks(path)) {
    hash.update(chunk);
    yield chunk;
  }
  const sha256 = hash.digest("hex");
  if (sha256 !== file.sha256) throw wrong(`sha256 ${sha256}`);
}
