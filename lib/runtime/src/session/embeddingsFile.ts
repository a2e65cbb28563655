import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { TinyGptvError } from "@tinygptv/protocol";
import { checkTableSize, lookUpBy, rowBytesOf } from "./embeddings.ts";
import type { EmbeddingTable, TokenEmbeddings } from "./embeddings.ts";

/**
 * Token embeddings in their file: 260 MB that never enter memory. Reads are
 * synchronous because a row is one page that the operating system keeps.
 */
export function openEmbeddings(path: string, table: EmbeddingTable): TokenEmbeddings {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (cause) {
    throw new TinyGptvError(
      "model",
      `${path}: want the token embeddings, got ${(cause as Error).message}`,
      { cause },
    );
  }
  try {
    checkTableSize(path, table, fstatSync(file).size);
  } catch (error) {
    closeSync(file);
    throw error;
  }
  const buffer = new Uint8Array(rowBytesOf(table));
  const { length } = buffer;
  return {
    lookUp: lookUpBy(table, (row) => {
      const read = readSync(file, buffer, 0, length, row * length);
      if (read !== length)
        throw new TinyGptvError(
          "model",
          `${path}: want ${length} bytes of row ${row}, got ${read}`,
        );
      return buffer;
    }),
    close: () => closeSync(file),
  };
}
