/** A byte order mark is a character like any other, as in Python's decoder. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Bytes as text, U+FFFD where they are not UTF-8 (as WHATWG and Python do). */
export function decodeUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
