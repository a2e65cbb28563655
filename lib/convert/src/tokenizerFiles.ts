/** The tokenizer of a language-model folder: its files, and that the runtime can load it. */
import { access } from "node:fs/promises";
import { join } from "node:path";
import type { Tokenizer } from "@tinygptv/model";
import { loadTokenizer } from "@tinygptv/model/disk";
import { TinyGptvError } from "@tinygptv/protocol";

/** Copied as they are where present. */
const fileNames = [
  "tokenizer.json",
  "tokenizer_config.json",
  "vocab.json",
  "merges.txt",
  "added_tokens.json",
  "special_tokens_map.json",
] as const;

export interface TokenizerFiles {
  readonly names: readonly string[];
  /** As the runtime will load it from the model folder. */
  readonly tokenizer: Tokenizer;
  /** Id of the token that ends an answer. */
  readonly stop: number;
}

/**
 * @throws TinyGptvError "layout": files are missing, of another kind of
 *   tokenizer, or without a token that the model needs
 */
export async function findTokenizer(folder: string): Promise<TokenizerFiles> {
  const present = await Promise.all(
    fileNames.map((name) =>
      access(join(folder, name)).then(
        () => true,
        () => false,
      ),
    ),
  );
  const names = fileNames.filter((_, i) => present[i]);
  if (
    !names.includes("tokenizer.json") &&
    !(names.includes("vocab.json") && names.includes("merges.txt"))
  )
    throw new TinyGptvError(
      "layout",
      `${folder}: want a tokenizer (tokenizer.json, or vocab.json and merges.txt), got ${names.join(", ") || "none of its files"}`,
    );
  const tokenizer = await loadTokenizer(folder).catch((cause: unknown) => {
    if (!(cause instanceof TinyGptvError)) throw cause;
    throw new TinyGptvError("layout", `${folder}: ${cause.message}`, { cause });
  });
  const stop = tokenizer.idOf("###");
  if (stop === undefined)
    throw new TinyGptvError(
      "layout",
      `${folder}: tokenizer: want the token ###, got a vocabulary without it`,
    );
  return { names, tokenizer, stop };
}
