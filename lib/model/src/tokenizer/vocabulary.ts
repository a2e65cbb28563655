import { shorten, TinyGptvError } from "@tinygptv/protocol";
import type { TokenizerDefinition } from "./tokenizerFiles.ts";

/** Ids, spellings and bytes of all tokens. */
export interface Vocabulary {
  /** Largest id + 1. The model's logits may have more rows: padding without tokens. */
  readonly size: number;
  readonly specialIds: ReadonlySet<number>;
  /** Tokens matched as plain text before anything else: `<|endoftext|>` and the runs of spaces and tabs. */
  readonly addedIds: ReadonlySet<number>;
  /** The bytes a token stands for; none where no token has this id. Not to be written to. */
  bytes(id: number): Uint8Array;
  /** By spelling: byte symbols (`Ġway`), or the plain text of an added token. */
  idOf(token: string): number | undefined;
}

/**
 * GPT-2 spells tokens in printable characters, one a byte: the printable bytes
 * of Latin-1 stand for themselves, the other 68 are U+0100 and following in
 * order.
 */
const symbols: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(isPrintable(byte) ? byte : next++),
  );
})();

function isPrintable(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xff && byte !== 0xad);
}

const byteOf: ReadonlyMap<string, number> = new Map(symbols.map((symbol, byte) => [symbol, byte]));

/** All of `symbols` and nothing else. */
const spelling = /^[!-~¡-¬®-\u0143]+$/;

const none = new Uint8Array(0);

/**
 * The tables of a tokenizer's definition.
 *
 * @throws TinyGptvError "model": two tokens share an id, a token is not spelled
 *   in byte symbols, or some text could not be encoded without loss
 */
export function createVocabulary({ vocab, merges, addedTokens }: TokenizerDefinition): Vocabulary {
  // Object.entries would take 30 ms more for 50,000 tokens.
  const ids = new Map(Object.keys(vocab).map((token) => [token, vocab[token]!]));
  requireLossless(ids, merges);
  for (const { content, id } of addedTokens) ids.set(content, id);
  const tokens = tokensById(ids);
  const addedIds = new Set(addedTokens.map(({ id }) => id));
  const cache: Uint8Array[] = [];

  return {
    size: tokens.length,
    specialIds: new Set(addedTokens.filter(({ special }) => special).map(({ id }) => id)),
    addedIds,
    bytes(id) {
      const token = tokens[id];
      if (token === undefined) return none;
      return (cache[id] ??= addedIds.has(id)
        ? new TextEncoder().encode(token)
        : Uint8Array.from(token, (symbol) => byteOf.get(symbol)!));
    },
    idOf: (token) => ids.get(token),
  };
}

/** Ids are array indices, so a damaged file must not make them huge; Phi-2 has 50,295. */
const maxTokens = 1_000_000;

/** The inverse of a vocabulary; undefined at ids that no token has. */
function tokensById(ids: ReadonlyMap<string, number>): (string | undefined)[] {
  let size = 0;
  for (const [token, id] of ids) {
    if (!Number.isInteger(id) || id < 0 || id >= maxTokens) {
      throw broken(`${quote(token)}: want an id from 0 to ${maxTokens - 1}, got ${id}`);
    }
    size = Math.max(size, id + 1);
  }
  const tokens: (string | undefined)[] = Array.from({ length: size });
  for (const [token, id] of ids) {
    if (tokens[id] !== undefined) {
      throw broken(`${quote(tokens[id])} and ${quote(token)} both have id ${id}`);
    }
    tokens[id] = token;
  }
  return tokens;
}

/** Every text can be encoded: each byte has a token, and no merge leads out of the vocabulary. */
function requireLossless(
  ids: ReadonlyMap<string, number>,
  merges: TokenizerDefinition["merges"],
): void {
  const missing = symbols.filter((symbol) => !ids.has(symbol));
  if (missing.length > 0) {
    throw broken(`want all 256 byte symbols as tokens, ${missing.length} are missing`);
  }
  for (const token of ids.keys()) {
    if (!spelling.test(token)) {
      throw broken(`${quote(token)} is not spelled in byte symbols`);
    }
  }
  const lost = merges.find(([left, right]) => !ids.has(left + right));
  if (lost) throw broken(`the merge ${quote(lost)} makes no token`);
}

function broken(message: string): TinyGptvError {
  return new TinyGptvError("model", `tokenizer: ${message}`);
}

const quote = (token: unknown) => shorten(JSON.stringify(token));
