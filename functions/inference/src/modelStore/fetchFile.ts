import { createHash, type Hash } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { TinyGptvError } from "@tinygptv/protocol";
import type { Store } from "../store/store.ts";
import { readChunks, sizeOf, type ListedFile } from "./digest.ts";
import { retry, type RetryOptions } from "./retry.ts";

export interface FetchOptions extends RetryOptions {
  /** Called as bytes arrive, with how many of the file's are on disk. */
  onProgress?: (file: ListedFile, have: number) => void;
}

/** Copies that turned out corrupt before we give up. */
const maxCorrupt = 3;

/** What is on disk of a file so far, and its digest. */
interface Arrived {
  bytes: number;
  hash: Hash;
}

/** Takes up what an earlier transfer left, in a file that is there from now on. */
async function resume(path: string, file: ListedFile): Promise<Arrived> {
  if (((await sizeOf(path)) ?? 0) > file.bytes) await rm(path);
  const created = await open(path, "a");
  await created.close();
  const arrived = { bytes: 0, hash: createHash("sha256") };
  for await (const chunk of readChunks(path)) {
    arrived.hash.update(chunk);
    arrived.bytes += chunk.byteLength;
  }
  return arrived;
}

/** One transfer, from where the last one ended. */
async function transfer(
  store: Store,
  key: string,
  file: ListedFile,
  path: string,
  arrived: Arrived,
  { signal, onProgress }: FetchOptions,
): Promise<void> {
  const found = await store.get(key, { start: arrived.bytes, signal });
  if (found?.size !== file.bytes) {
    await found?.body.cancel();
    const got = found ? `${found.size} bytes` : "no such object";
    throw new TinyGptvError(
      "model",
      `${file.path}: want ${file.bytes} bytes at ${key} in the store, got ${got}`,
      {
        subject: file.path,
      },
    );
  }
  const handle = await open(path, "a");
  try {
    for await (const chunk of found.body) {
      await handle.writeFile(chunk);
      arrived.hash.update(chunk);
      arrived.bytes += chunk.byteLength;
      onProgress?.(file, arrived.bytes);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Brings one file of a model from the store to `path`, whole and with the right
 * sha256: a transfer that breaks off goes on where it was, also in a later call
 * of another process; a corrupt copy is fetched again.
 *
 * @throws TinyGptvError `network` after five transfers in a row that brought
 *   nothing or three corrupt copies; `model` where the store does not have it;
 *   `aborted`; errors of the disk as they are.
 */
export async function fetchFile(
  store: Store,
  key: string,
  file: ListedFile,
  path: string,
  options: FetchOptions = {},
): Promise<void> {
  for (let copies = 1; ; copies++) {
    const arrived = await resume(path, file);
    await retry(
      async () => {
        if (arrived.bytes < file.bytes) await transfer(store, key, file, path, arrived, options);
      },
      options,
      () => arrived.bytes,
    );
    const sha256 = arrived.hash.digest("hex");
    if (sha256 === file.sha256) return;
    await rm(path);
    if (copies === maxCorrupt)
      throw new TinyGptvError(
        "network",
        `${file.path}: want sha256 ${file.sha256}, got ${sha256} and ${copies - 1} other corrupt copies`,
        { subject: file.path },
      );
  }
}
