import { splitPositions } from "./decoder.ts";
import type { Decoder, Sequence } from "./sequence.ts";

// Bounds the logits held at once: 64 positions of 51,200 tokens are 13 MB.
const chunkSize = 64;

/**
 * Feeds given tokens and shows each with the logits it came out of. `logits`
 * are those before the first token. The last token is not fed: nothing after
 * it is asked for.
 */
export function* teacherForce(
  sequence: Sequence,
  logits: Float32Array,
  tokens: readonly number[],
  onToken: (id: number, logits: Float32Array) => void,
): Decoder<void> {
  if (tokens.length === 0) return;
  onToken(tokens[0]!, logits);
  const vocabularySize = logits.length;
  for (let start = 0; start < tokens.length - 1; start += chunkSize) {
    const fed = tokens.slice(start, Math.min(start + chunkSize, tokens.length - 1));
    const [all] = yield [{ sequence, input: { tokens: fed }, logits: "all" }];
    splitPositions(all!, vocabularySize).forEach((row, i) => onToken(tokens[start + i + 1]!, row));
  }
}
