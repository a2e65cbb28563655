import { decodePieces, decodeUtf8 } from "./utf8.ts";
import type { Vocabulary } from "./vocabulary.ts";

/**
 * Spaces that the reference removes after decoding, in this order
 * (`clean_up_tokenization` of Hugging Face transformers).
 */
const cleanUp: readonly (readonly [from: string, to: string])[] = [
  [" .", "."],
  [" ?", "?"],
  [" !", "!"],
  [" ,", ","],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

/**
 * A token list as the slow tokenizer of the reference decodes it. Two habits
 * set it apart from the plain bytes: added tokens that are not special (runs of
 * spaces and tabs) stand between spaces, and spaces before punctuation and
 * contractions are removed. For comparing with the reference's texts only.
 */
export function decodeAsReference(
  vocabulary: Vocabulary,
  ids: readonly number[],
  keepSpecial: boolean,
): string {
  const { addedIds, specialIds } = vocabulary;
  const pieces: string[] = [];
  let run: Uint8Array[] = []; // between two added tokens, a character may span several tokens
  const endRun = () => {
    const text = decodePieces(run);
    if (text !== "") pieces.push(text);
    run = [];
  };
  for (const id of ids) {
    if (specialIds.has(id)) {
      if (keepSpecial) run.push(vocabulary.bytes(id));
    } else if (addedIds.has(id)) {
      endRun();
      pieces.push(decodeUtf8(vocabulary.bytes(id)));
    } else {
      run.push(vocabulary.bytes(id));
    }
  }
  endRun();
  return cleanUp.reduce((text, [from, to]) => text.replaceAll(from, to), pieces.join(" "));
}
