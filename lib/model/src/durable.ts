/** Files that are whole or not there, whatever happens while they are written. */
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { withScratchName } from "./scratchFolder.ts";

/** What is written: at once, or in pieces as they are made. */
export type Content = string | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** Writes a file and waits until it is on the disk. */
export async function writeDurably(path: string, content: Content): Promise<void> {
  const file = await open(path, "w");
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Waits until what was made, renamed and removed in a folder is on the disk. Windows has no such call and needs none. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Writes a file beside `path` and puts it in its place when it is on the disk: what was there is kept until then. */
export async function replaceDurably(path: string, content: Content): Promise<void> {
  await withScratchName(path, "partial", async (partial) => {
    try {
      await writeDurably(partial, content);
      await rename(partial, path);
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
  });
  await syncFolder(dirname(path));
}
