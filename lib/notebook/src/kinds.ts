/** What a fence's info string says: which kind of cell, or a slip of the pen where one was meant. */
import { cellTypes } from "./cell.ts";
import { nearest } from "./nearest.ts";

/** Cell types written as fences; text cells are the Markdown between them. */
export const fencedTypes = cellTypes.filter((type) => type !== "text");
export type FencedType = (typeof fencedTypes)[number];

const words: Readonly<Record<string, FencedType>> = {
  comparison: "compare",
  evaluation: "evaluate",
  "fine-tune": "finetune",
};

export const kindIn = (info: string): FencedType | undefined =>
  fencedTypes.find((type) => type === firstWord(info));

/** The kind that was probably meant by a word that is none. */
export function misspeltKind(info: string): FencedType | undefined {
  const word = firstWord(info);
  if (kindIn(info) !== undefined || word === "") return undefined;
  return words[word.toLowerCase()] ?? nearest(word, fencedTypes);
}

const firstWord = (info: string): string => info.trim().split(/\s+/)[0] ?? "";
