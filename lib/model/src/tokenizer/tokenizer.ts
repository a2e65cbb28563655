import { Tokenizer as BytePairEncoder } from "@huggingface/tokenizers";
import { TinyGptvError, maxTextLength } from "@tinygptv/protocol";
import type { TextFiles } from "../textFiles.ts";
import { decodeAsReference } from "./referenceDecoding.ts";
import { endOfText, readTokenizerDefinition } from "./tokenizerFiles.ts";
import type { TokenizerDefinition } from "./tokenizerFiles.ts";
import { decodePieces, decodeUtf8 } from "./utf8.ts";
import { createVocabulary } from "./vocabulary.ts";

interface DecodeOptions {
  /** Show special tokens (`<|endoftext|>`) instead of leaving them out. */
  readonly keepSpecial?: boolean;
}

/** Text to token ids and back. */
export interface Tokenizer {
  /** Largest id + 1. The model's logits may have more rows: padding without tokens. */
  readonly vocabularySize: number;
  readonly endOfTextId: number;
  readonly specialIds: ReadonlySet<number>;
  /**
   * Token ids of a text, without any begin token. An unpaired surrogate counts as U+FFFD.
   *
   * The library needs up to 5 µs for one UTF-16 unit: the bound keeps a hostile
   * text below a second.
   *
   * @param subject what errors call the text
   * @throws TinyGptvError "context": longer than `maxTextLength`
   */
  encode(text: string, subject?: string): number[];
  /**
   * The text of a token list: its bytes as UTF-8, U+FFFD where they are none.
   * Ids without a token stand for nothing (the reference crashes on them).
   */
  decode(ids: readonly number[], options?: DecodeOptions): string;
  /** The text as the reference's slow tokenizer decodes it; see referenceDecoding.ts. */
  decodeReference(ids: readonly number[], options?: DecodeOptions): string;
  /** The bytes of one token, possibly part of a character only. Not to be written to. */
  tokenBytes(id: number): Uint8Array;
  /** What one token decodes to on its own, special tokens included. */
  tokenText(id: number): string;
  /** Id of a token by its spelling in the vocabulary: `Ġway`, `###`, `<|endoftext|>`. */
  idOf(token: string): number | undefined;
}

/**
 * Reads the tokenizer of a Phi-2 or model folder.
 *
 * @throws TinyGptvError "model": its files are missing, damaged or of another kind of tokenizer
 */
export async function readTokenizer(files: TextFiles): Promise<Tokenizer> {
  return createTokenizer(await readTokenizerDefinition(files));
}

/** Byte-level BPE with CodeGen's rules for splitting text. */
function createTokenizer(definition: TokenizerDefinition): Tokenizer {
  const vocabulary = createVocabulary(definition);
  const endOfTextId = vocabulary.idOf(endOfText);
  if (endOfTextId === undefined) {
    throw new TinyGptvError("model", `tokenizer: want a token ${endOfText}, got none`);
  }
  const encoder = new BytePairEncoder(
    {
      model: { type: "BPE", vocab: definition.vocab, merges: definition.merges },
      added_tokens: definition.addedTokens,
      pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
      normalizer: null,
      post_processor: null, // would add begin tokens
      decoder: null, // the library's cleans up spaces; ours is exact
    },
    {},
  );

  const shown = (ids: readonly number[], keepSpecial: boolean) =>
    keepSpecial ? ids : ids.filter((id) => !vocabulary.specialIds.has(id));

  return {
    vocabularySize: vocabulary.size,
    endOfTextId,
    specialIds: vocabulary.specialIds,
    encode(text, subject = "text") {
      if (text.length > maxTextLength) {
        throw new TinyGptvError(
          "context",
          `${subject}: want at most ${maxTextLength} characters, got ${text.length}`,
          { subject },
        );
      }
      return encoder.encode(text).ids;
    },
    decode: (ids, { keepSpecial = false } = {}) =>
      decodePieces(shown(ids, keepSpecial).map(vocabulary.bytes)),
    decodeReference: (ids, { keepSpecial = false } = {}) =>
      decodeAsReference(vocabulary, ids, keepSpecial),
    tokenBytes: vocabulary.bytes,
    tokenText: (id) => decodeUtf8(vocabulary.bytes(id)),
    idOf: vocabulary.idOf,
  };
}
