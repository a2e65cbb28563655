import { open } from "node:fs/promises";
import { whatWasRead } from "@tinygptv/model/disk";
import { dataError } from "./mistakes.ts";

/** Bytes out of the middle of a file. @throws TinyGptvError "data": it does not have them */
export async function readRange(path: string, at: number, bytes: number): Promise<Buffer> {
  const file = await open(path).catch((error: unknown) => {
    throw dataError(path, `want a file, got ${whatWasRead(error)}`, error);
  });
  try {
    const buffer = Buffer.alloc(bytes);
    const { bytesRead } = await file.read(buffer, 0, bytes, at);
    if (bytesRead < bytes) throw dataError(path, `want ${bytes} bytes at ${at}, got ${bytesRead}`);
    return buffer;
  } finally {
    await file.close();
  }
}
