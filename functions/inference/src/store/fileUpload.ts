/** Files on their way into a file store: written aside, synced, then renamed by the store. */
import { open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { onDisk } from "./diskError.ts";

/** An upload that has not grown for so long belongs to a process that died. */
const abandonedAfter = 24 * 60 * 60 * 1000;

/** Removes uploads that were abandoned. */
export async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
    if (Date.now() - mtimeMs > abandonedAfter) await rm(path, { force: true });
  }
}

/** Writes an upload's file whole and synced; returns the bytes of its body. */
export async function upload(
  key: string,
  path: string,
  header: Uint8Array,
  body: AsyncIterable<Uint8Array>,
): Promise<number> {
  const handle = await onDisk("write", key, () => open(path, "wx"));
  try {
    let size = 0;
    await onDisk("write", key, () => handle.writeFile(header));
    for await (const chunk of body) {
      await onDisk("write", key, () => handle.writeFile(chunk));
      size += chunk.byteLength;
    }
    await onDisk("write", key, () => handle.sync());
    return size;
  } finally {
    await handle.close();
  }
}

/** Makes a rename last: its folder's entries must reach the disk too (Windows has no such call). */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
