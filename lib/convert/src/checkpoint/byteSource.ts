import { open, stat } from "node:fs/promises";
import { onDisk } from "@tinygptv/model/disk";
import { damaged, isCount } from "./untrusted.ts";

/** Random access to the bytes of one file. Nothing is cached, so memory is what the caller asks for. */
export interface ByteSource {
  /** The path, for messages. */
  readonly name: string;
  /** In bytes, as it was when the source was opened. */
  readonly size: number;
  /** Exactly `length` bytes from `offset`; a range that is not within the file is a `checkpoint` error. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

// Node refuses to read 2 GiB or more in one call.
const maxBytesPerCall = 1 << 30;

/** A file on disk. Errors: `io` where the disk refuses, `checkpoint` where it is not a regular file or has shrunk. */
export async function openFile(path: string): Promise<ByteSource> {
  // Looked at before opening: opening a pipe would wait for its writer for ever.
  const found = await onDisk(path, () => stat(path));
  if (!found.isFile()) {
    throw damaged(
      path,
      `want a regular file, got ${found.isDirectory() ? "a folder" : "something else"}`,
    );
  }
  const handle = await onDisk(path, () => open(path));
  return {
    name: path,
    size: found.size,
    async read(offset, length) {
      requireRange(path, found.size, offset, length);
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length;) {
        const count = Math.min(length - done, maxBytesPerCall);
        const { bytesRead } = await onDisk(path, () =>
          handle.read(bytes, done, count, offset + done),
        );
        if (bytesRead === 0) {
          throw damaged(
            path,
            `cut short while reading: want ${length} bytes at ${offset}, got ${done}`,
          );
        }
        done += bytesRead;
      }
      return bytes;
    },
    close: () => onDisk(path, () => handle.close()),
  };
}

/** Opens a file for a reader that takes it over, and closes it again if the reader fails. */
export async function openWith<T>(
  path: string,
  read: (source: ByteSource) => Promise<T>,
): Promise<T> {
  const source = await openFile(path);
  try {
    return await read(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Bytes that are already in memory. Reads copy, as those of a file do. */
export function bytesInMemory(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.length,
    async read(offset, length) {
      requireRange(name, bytes.length, offset, length);
      return new Uint8Array(bytes.subarray(offset, offset + length));
    },
    async close() {},
  };
}

function requireRange(name: string, size: number, offset: number, length: number): void {
  const inside = isCount(offset) && isCount(length) && offset + length <= size;
  if (!inside)
    throw damaged(name, `want ${length} bytes at offset ${offset}, but the file has ${size}`);
}
