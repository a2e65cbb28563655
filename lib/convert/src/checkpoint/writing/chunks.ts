import type { DType } from "@tinygptv/model";

/** Bytes in pieces, so that a file larger than memory can be written. */
export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** One dense tensor to write. */
export interface TensorInput {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Little-endian bytes, as they are, or made when their turn in the file has come. */
  readonly data: Uint8Array | (() => Chunks);
}

/** All pieces in one, for files small enough. */
export async function collect(chunks: Chunks): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of chunks) pieces.push(piece);
  return new Uint8Array(Buffer.concat(pieces));
}

/** Passes pieces on; throws if they do not come to `size` bytes in all. */
export async function* sized(
  what: string,
  size: number,
  chunks: Chunks,
): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const piece of chunks) {
    total += piece.length;
    yield piece;
  }
  if (total !== size) throw new Error(`${what}: want ${size} bytes, got ${total}`);
}
