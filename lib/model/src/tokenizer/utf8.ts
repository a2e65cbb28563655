/** A byte order mark is a character like any other, as in Python's decoder. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Bytes as text, U+FFFD where they are not UTF-8 (as WHATWG and Python do). */
export function decodeUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** The same of bytes in pieces: a character may go over several. */
export function decodePieces(pieces: readonly Uint8Array[]): string {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return decodeUtf8(bytes);
}
