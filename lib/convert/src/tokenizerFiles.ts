/** The tokenizer's files in a language-model folder, and the two token ids a model needs. */
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { TinyGptvError } from "@tinygptv/protocol";
import { parseJson } from "./settings.ts";

/** Copied as they are where present. */
const fileNames = [
  "tokenizer.json",
  "tokenizer_config.json",
  "vocab.json",
  "merges.txt",
  "added_tokens.json",
  "special_tokens_map.json",
] as const;

const vocabulary = z.record(z.string(), z.number().int().nonnegative());
const tokenizerJson = z.looseObject({
  model: z.looseObject({ vocab: vocabulary }),
  added_tokens: z.array(z.looseObject({ id: z.number().int(), content: z.string() })).default([]),
});

export interface TokenizerFiles {
  names: string[];
  /** Every token, added ones included. */
  ids: ReadonlyMap<string, number>;
  largestId: number;
  endOfText: number;
  stop: number;
}

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
  const ids = await readTokenIds(folder, names);
  const idOf = (token: string) => {
    const id = ids.get(token);
    if (id === undefined)
      throw new TinyGptvError(
        "layout",
        `${folder}: tokenizer: want the token ${token}, got a vocabulary without it`,
      );
    return id;
  };
  return {
    names: [...names],
    ids,
    largestId: [...ids.values()].reduce((a, b) => Math.max(a, b)),
    endOfText: idOf("<|endoftext|>"),
    stop: idOf("###"),
  };
}

async function readTokenIds(
  folder: string,
  names: readonly string[],
): Promise<Map<string, number>> {
  const read = async <T>(name: string, schema: z.ZodType<T>) => {
    const path = join(folder, name);
    return parseJson(await readFile(path, "utf8"), path, schema);
  };
  if (names.includes("tokenizer.json")) {
    const { model, added_tokens } = await read("tokenizer.json", tokenizerJson);
    return new Map([
      ...Object.entries(model.vocab),
      ...added_tokens.map(({ content, id }) => [content, id] as const),
    ]);
  }
  const added = names.includes("added_tokens.json")
    ? await read("added_tokens.json", vocabulary)
    : {};
  return new Map(Object.entries({ ...(await read("vocab.json", vocabulary)), ...added }));
}
