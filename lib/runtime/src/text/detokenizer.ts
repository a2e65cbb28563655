import type { Tokenizer } from "@tinygptv/model";

/** Turns token ids into text as they come. */
export interface Detokenizer {
  /** The text this token completes; "" while a character is still open. */
  push(id: number): string;
  /** What is left at the end: U+FFFD for a character that never was completed. */
  flush(): string;
}

/**
 * A streaming `tokenizer.decode` (special tokens left out): all pushes and the
 * flush, one after the other, give the same text, and no piece cuts a character.
 */
export function createDetokenizer(
  tokenizer: Pick<Tokenizer, "tokenBytes" | "specialIds">,
): Detokenizer {
  // A byte order mark is a character like any other, as in Python's decoder.
  const stream = new TextDecoder("utf-8", { ignoreBOM: true });
  return {
    push: (id) =>
      tokenizer.specialIds.has(id) ? "" : stream.decode(tokenizer.tokenBytes(id), { stream: true }),
    flush: () => stream.decode(),
  };
}
