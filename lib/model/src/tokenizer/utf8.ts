/** A byte order mark is a character like any other, as in Python's decoder. */
const options = { ignoreBOM: true };
const decoder = new TextDecoder("utf-8", options);

/** Bytes as text, U+FFFD where they are not UTF-8 (as WHATWG and Python do). */
export function decodeUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** The same for bytes that come in pieces; feed with `{ stream: true }`, close with an empty call. */
export function createUtf8Stream() {
  return new TextDecoder("utf-8", options);
}
