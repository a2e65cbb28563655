import { readFile } from "node:fs/promises";
import { whatWasRead } from "@tinygptv/model/disk";
import { TinyGptvError } from "@tinygptv/protocol";

/** Bytes of a picture's file. @throws TinyGptvError "image" where it cannot be read */
export async function readPicture(path: string): Promise<Uint8Array> {
  return readFile(path).catch((cause: unknown) => {
    const found = whatWasRead(cause);
    throw new TinyGptvError("image", `${path}: want a picture, got ${found}`, { cause });
  });
}
