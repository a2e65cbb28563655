/**
 * How the file store keeps an object: one file, a header of 512 bytes (JSON,
 * padded with spaces) and the bytes. One file, so that one rename replaces
 * content, type and etag together.
 */
import { open, type FileHandle } from "node:fs/promises";
import { TinyGptvError } from "@tinygptv/protocol";
import { z } from "zod";

export const headerBytes = 512;
const headerSchema = z.strictObject({ etag: z.string(), contentType: z.string() });
export type ObjectHeader = z.infer<typeof headerSchema>;

export function encodeHeader(header: ObjectHeader): Uint8Array {
  return Buffer.from(`${JSON.stringify(header).padEnd(headerBytes - 1)}\n`, "latin1");
}

function decodeHeader(key: string, bytes: Uint8Array): ObjectHeader {
  try {
    return headerSchema.parse(JSON.parse(Buffer.from(bytes).toString("latin1")));
  } catch (cause) {
    throw new TinyGptvError(
      "io",
      `store ${key}: want an object header of ${headerBytes} bytes, got a damaged file`,
      {
        subject: key,
        cause,
      },
    );
  }
}

export interface OpenObject extends ObjectHeader {
  /** To be closed by the caller. */
  handle: FileHandle;
  size: number;
  modified: Date;
}

/** Opens an object's file, undefined where there is none. */
export async function openObject(key: string, path: string): Promise<OpenObject | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, "r");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? ""))
      return undefined;
    throw error;
  }
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headerBytes), 0, headerBytes, 0);
    const header = decodeHeader(key, buffer.subarray(0, bytesRead));
    const { size, mtime } = await handle.stat();
    return { ...header, handle, size: size - headerBytes, modified: mtime };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
