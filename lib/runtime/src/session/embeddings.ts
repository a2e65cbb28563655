import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { bytesPerElement, toFloat32 } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";

/**
 * Token embeddings looked up row by row in their file: 260 MB that never enter
 * memory. Reads are synchronous because a row is one page that the operating system keeps.
 */
export interface TokenEmbeddings {
  /** Writes the rows of `tokens` into `out` from `offset` (in elements) on. */
  lookUp(tokens: readonly number[], out: Float32Array, offset: number): void;
  /** Closes the file; nothing can be looked up afterwards. */
  close(): void;
}

export function openEmbeddings(
  path: string,
  dtype: "float16" | "float32",
  rows: number,
  width: number,
): TokenEmbeddings {
  const rowBytes = width * bytesPerElement[dtype];
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
  const { size } = fstatSync(file);
  if (size !== rows * rowBytes) {
    closeSync(file);
    throw new TinyGptvError("model", `${path}: want ${rows * rowBytes} bytes, got ${size}`);
  }
  const buffer = new Uint8Array(rowBytes);
  return {
    lookUp(tokens, out, offset) {
      tokens.forEach((token, i) => {
        if (!Number.isInteger(token) || token < 0 || token >= rows)
          throw new TinyGptvError(
            "prompt",
            `token: want an id from 0 to ${rows - 1}, got ${token}`,
          );
        const read = readSync(file, buffer, 0, rowBytes, token * rowBytes);
        if (read !== rowBytes)
          throw new TinyGptvError(
            "model",
            `${path}: want ${rowBytes} bytes of row ${token}, got ${read}`,
          );
        out.set(toFloat32(buffer, dtype), offset + i * width);
      });
    },
    close: () => closeSync(file),
  };
}
