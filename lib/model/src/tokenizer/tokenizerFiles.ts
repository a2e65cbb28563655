import { z } from "zod";
import { shorten, TinyGptvError } from "@tinygptv/protocol";
import { parseJsonFile } from "../jsonFile.ts";
import type { TextFiles } from "../textFiles.ts";

/** What a byte-level BPE tokenizer is made of, whichever files it came from. */
export interface TokenizerDefinition {
  /** Token, spelled in byte symbols (`Ġway`), to id. */
  readonly vocab: Readonly<Record<string, number>>;
  /** Pairs of tokens, most urgent first. */
  readonly merges: readonly (readonly [string, string])[];
  readonly addedTokens: readonly AddedToken[];
}

/** A token matched in the text before anything else, spelled as it is. */
interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Not part of the text (`<|endoftext|>`); left out in decoding. */
  readonly special: boolean;
}

/** Begin, end and unknown token of every Phi-2 folder. */
export const endOfText = "<|endoftext|>";

/** Only their kind is checked here; `createVocabulary` checks the entries, faster than zod does. */
const vocabSchema = z.custom<Record<string, number>>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "want an object of tokens and ids",
);
const mergesSchema = z.custom<unknown[]>(Array.isArray, "want a list of merges");

/**
 * Steps that may be wrapped: `{type: "Sequence", pretokenizers: [...]}`, one in
 * another, stands for its steps in order. Deeper ones are no list and refused.
 */
function steps(value: unknown, list: "normalizers" | "pretokenizers", depth = 4): unknown {
  if (value === null || value === undefined) return [];
  const { type, [list]: inner } = value as Record<string, unknown>;
  if (type !== "Sequence" || !Array.isArray(inner) || depth === 0) return [value];
  return inner.flatMap((step) => steps(step, list, depth - 1));
}

const byteLevel = { type: z.literal("ByteLevel"), add_prefix_space: z.literal(false) };

/** CodeGen's rule, which ByteLevel brings along: contractions, words, numbers, signs, spaces. */
const codeGenRule =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const codeGenSplit = z.object({
  type: z.literal("Split"),
  pattern: z.object({ Regex: z.literal(codeGenRule) }),
  behavior: z.literal("Isolated"),
  invert: z.literal(false).optional(),
});

/** Phi-2's (CodeGen's) kind of tokenizer; any other setting would need code that is not here. */
const tokenizerJsonSchema = z.object({
  normalizer: z.preprocess(
    (value) => steps(value, "normalizers"),
    z.tuple([], { error: "want none" }),
  ),
  pre_tokenizer: z.preprocess(
    (value) => steps(value, "pretokenizers"),
    z.union(
      [
        z.tuple([z.object({ ...byteLevel, use_regex: z.literal(true).optional() })]),
        // The rule as a step of its own.
        z.tuple([codeGenSplit, z.object({ ...byteLevel, use_regex: z.literal(false) })]),
      ],
      { error: "want ByteLevel with CodeGen's rule and add_prefix_space false" },
    ),
  ),
  model: z.object({
    type: z.literal("BPE").optional(),
    vocab: vocabSchema,
    merges: mergesSchema,
  }),
  added_tokens: z.array(
    z.object({
      id: z.number(),
      content: z.string().min(1),
      special: z.boolean(),
      lstrip: z.literal(false).optional(),
      rstrip: z.literal(false).optional(),
      single_word: z.literal(false).optional(),
    }),
  ),
});

/**
 * Reads the tokenizer of a Phi-2 folder: `tokenizer.json`, or, where an older
 * folder lacks it, `vocab.json`, `merges.txt` and `added_tokens.json`.
 *
 * @throws TinyGptvError "model": a file is missing or not that of a byte-level BPE tokenizer
 */
export async function readTokenizerDefinition(files: TextFiles): Promise<TokenizerDefinition> {
  const text = await files.read("tokenizer.json");
  if (text === undefined) return readSeparateFiles(files);
  const { model, added_tokens } = parseJsonFile(
    text,
    "tokenizer.json",
    tokenizerJsonSchema,
    "model",
  );
  return {
    vocab: model.vocab,
    merges: model.merges.map((merge) => toMerge("tokenizer.json", merge)),
    addedTokens: added_tokens,
  };
}

async function readSeparateFiles(files: TextFiles): Promise<TokenizerDefinition> {
  const vocab = parseJsonFile(
    await readRequired(files, "vocab.json"),
    "vocab.json",
    vocabSchema,
    "model",
  );
  const merges = (await readRequired(files, "merges.txt")).split(/\r?\n/);
  const added = await files.read("added_tokens.json");
  const addedIds =
    added === undefined ? {} : parseJsonFile(added, "added_tokens.json", vocabSchema, "model");
  const endOfTextId = vocab[endOfText] ?? addedIds[endOfText];
  const special =
    endOfTextId === undefined ? [] : [{ id: endOfTextId, content: endOfText, special: true }];
  return {
    vocab,
    merges: merges
      .filter((line) => line !== "" && !line.startsWith("#version"))
      .map((line) => toMerge("merges.txt", line)),
    addedTokens: [
      ...special,
      ...Object.entries(addedIds)
        .filter(([content]) => content !== endOfText)
        .map(([content, id]) => ({ id, content, special: false })),
    ],
  };
}

/** A merge is written `"left right"`, in newer files `["left", "right"]`. */
function toMerge(file: string, merge: unknown): [string, string] {
  const [left, right, ...rest]: unknown[] =
    typeof merge === "string" ? merge.split(" ") : Array.isArray(merge) ? merge : [];
  if (typeof left === "string" && typeof right === "string" && left && right && !rest.length) {
    return [left, right];
  }
  throw new TinyGptvError(
    "model",
    `${file}: want merges of two tokens, got ${shorten(JSON.stringify(merge))}`,
  );
}

async function readRequired(files: TextFiles, file: string): Promise<string> {
  const text = await files.read(file);
  if (text !== undefined) return text;
  throw new TinyGptvError(
    "model",
    `${files.name}: want tokenizer.json, or vocab.json and merges.txt; got neither tokenizer.json nor ${file}`,
  );
}
