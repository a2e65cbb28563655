/** The metrics of coco-caption as rules. METEOR and SPICE need programs and word nets of their own and are not here. */
import type { AnswerRecord } from "../../record.ts";
import { ratio, type Rule } from "../rule.ts";
import { bleu, bleuStatistics } from "./bleu.ts";
import { cider } from "./cider.ts";
import { rougeL } from "./rouge.ts";
import { tokenizeCaption } from "./tokenize.ts";

interface Words {
  caption: string[];
  references: string[][];
}

/** The words of records: several rules ask for the same ones. */
const known = new WeakMap<AnswerRecord, Words>();

function wordsOf(record: AnswerRecord): Words {
  const found = known.get(record);
  if (found !== undefined) return found;
  const { expected, id, answer } = record;
  if (expected.kind !== "captions") throw new Error(`${id}: want captions, got ${expected.kind}`);
  const words = {
    caption: tokenizeCaption(answer.split("###")[0]!),
    references: expected.captions.map(tokenizeCaption),
  };
  known.set(record, words);
  return words;
}

const mean = ([sum = 0, count = 0]: readonly number[]): number => ratio(sum, count);

export const captionRules: readonly Rule[] = [
  {
    name: "CIDEr",
    description: "CIDEr-D of coco-caption, its word weights from all pictures of the run",
    measure(records) {
      const words = records.map(wordsOf);
      return cider(
        words.map(({ caption }) => caption),
        words.map(({ references }) => references),
      ).map((score) => [score, 1]);
    },
    figure: mean,
  },
  ...[4, 1].map((n) => ({
    name: `BLEU-${n}`,
    description: `BLEU of n-grams up to ${n} over all captions, with the nearest reference's length`,
    measure: (records: readonly AnswerRecord[]) =>
      records.map(wordsOf).map(({ caption, references }) => bleuStatistics(caption, references)),
    figure: (sums: readonly number[]) => bleu(n, sums),
  })),
  {
    name: "ROUGE-L",
    description: "ROUGE-L of coco-caption (beta 1.2)",
    measure: (records) =>
      records.map(wordsOf).map(({ caption, references }) => [rougeL(caption, references), 1]),
    figure: mean,
  },
];
