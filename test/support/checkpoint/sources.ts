import type { ByteSource } from "../../../lib/convert/src/checkpoint/byteSource.ts";

/** A source that keeps account of what is read of another. */
export function counting(
  source: ByteSource,
): ByteSource & { readonly reads: { offset: number; length: number }[] } {
  const reads: { offset: number; length: number }[] = [];
  return {
    ...source,
    reads,
    read(offset, length) {
      reads.push({ offset, length });
      return source.read(offset, length);
    },
  };
}

/** A file of any size that is zero but for some pieces, which lie at ascending offsets without overlaps. */
export function sparse(
  name: string,
  size: number,
  pieces: readonly { offset: number; bytes: Uint8Array }[],
): ByteSource {
  return {
    name,
    size,
    async read(offset, length) {
      const result = new Uint8Array(length);
      for (const piece of pieces) {
        const start = Math.max(offset, piece.offset);
        const end = Math.min(offset + length, piece.offset + piece.bytes.length);
        if (start < end) {
          result.set(
            piece.bytes.subarray(start - piece.offset, end - piece.offset),
            start - offset,
          );
        }
      }
      return result;
    },
    async close() {},
  };
}
