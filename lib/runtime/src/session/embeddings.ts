import { bytesPerElement, toFloat32 } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";

/** Token embeddings, looked up row by row. */
export interface TokenEmbeddings {
  /** Writes the rows of `tokens` into `out` from `offset` (in elements) on. */
  lookUp(tokens: readonly number[], out: Float32Array, offset: number): void;
  /** Closes the file; nothing can be looked up afterwards. */
  close(): void;
}

/** What a file of token embeddings is: one row a token. */
export interface EmbeddingTable {
  dtype: "float16" | "float32";
  rows: number;
  width: number;
}

/** Bytes of a row. */
export const rowBytesOf = ({ dtype, width }: EmbeddingTable): number =>
  width * bytesPerElement[dtype];

/** @throws TinyGptvError "model" where a file of so many bytes is not the table's */
export function checkTableSize(path: string, table: EmbeddingTable, bytes: number): void {
  const want = table.rows * rowBytesOf(table);
  if (bytes !== want) throw new TinyGptvError("model", `${path}: want ${want} bytes, got ${bytes}`);
}

/** @param read the bytes of a row; may be the same array each time */
export function lookUpBy(
  { dtype, rows, width }: EmbeddingTable,
  read: (row: number) => Uint8Array,
): TokenEmbeddings["lookUp"] {
  return (tokens, out, offset) => {
    tokens.forEach((token, i) => {
      if (!Number.isInteger(token) || token < 0 || token >= rows)
        throw new TinyGptvError("prompt", `token: want an id from 0 to ${rows - 1}, got ${token}`);
      out.set(toFloat32(read(token), dtype), offset + i * width);
    });
  };
}
