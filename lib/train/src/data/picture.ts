import { readFile } from "node:fs/promises";
import { whatWasRead } from "@tinygptv/model/disk";
import { dataError } from "./mistakes.ts";
import { readRange } from "./range.ts";

/** A picture in a shard, as `Example.picture` names it: `00000.tar#512+20480`, in bytes. */
export function placeInShard(shard: string, { at, bytes }: { at: number; bytes: number }): string {
  return `${shard}#${at}+${bytes}`;
}

/**
 * The file of a picture, wherever `Example.picture` says that it is.
 * @throws TinyGptvError "data": it cannot be read
 */
export async function readPicture(picture: string): Promise<Uint8Array> {
  const [, shard, at, bytes] = /^(.*\.tar)#(\d+)\+(\d+)$/s.exec(picture) ?? [];
  if (shard !== undefined) return readRange(shard, Number(at), Number(bytes));
  try {
    return await readFile(picture);
  } catch (error) {
    throw dataError(picture, `want a picture, got ${whatWasRead(error)}`, error);
  }
}
