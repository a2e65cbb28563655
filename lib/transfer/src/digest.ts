import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { throwIfAborted } from "@tinygptv/protocol";

/** The bytes of a file on disk, a megabyte at a time. */
export function readChunks(path: string): AsyncIterable<Buffer> {
  return createReadStream(path, { highWaterMark: 1 << 20 });
}

/**
 * sha256 of a file on disk, in hex.
 * @throws TinyGptvError `aborted`; errors of the disk as they are
 */
export async function sha256Of(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of readChunks(path)) {
    throwIfAborted(signal);
    hash.update(chunk);
  }
  return hash.digest("hex");
}
