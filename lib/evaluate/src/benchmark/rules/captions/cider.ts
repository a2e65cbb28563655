/**
 * CIDEr-D (Vedantam et al., 2015) as coco-caption computes it under the name
 * CIDEr: how like a caption is to the references, rare words counting more.
 */
import { countNgrams, longest } from "./ngrams.ts";

/** Width of the penalty for another length. */
const sigma = 6;

interface Weighted {
  /** By n-gram, for each length. */
  readonly weights: readonly ReadonlyMap<string, number>[];
  readonly norms: readonly number[];
  /** Of its pairs of words, which is what the original counts. */
  readonly length: number;
}

/**
 * The score of every caption, 0 to 10. In how many pictures' references an
 * n-gram occurs is counted over all that are given.
 * @param references words of the references of every caption
 */
export function cider(
  captions: readonly (readonly string[])[],
  references: readonly (readonly (readonly string[])[])[],
): number[] {
  const frequency = new Map<string, number>();
  for (const own of references) {
    const ngrams = new Set(
      own.flatMap((words) => countNgrams(words).flatMap((one) => [...one.keys()])),
    );
    for (const ngram of ngrams) frequency.set(ngram, (frequency.get(ngram) ?? 0) + 1);
  }
  const pictures = Math.log(references.length);

  const weigh = (words: readonly string[]): Weighted => {
    const weights = countNgrams(words).map(
      (counts) =>
        new Map(
          [...counts].map(([ngram, count]) => [
            ngram,
            count * (pictures - Math.log(Math.max(1, frequency.get(ngram) ?? 0))),
          ]),
        ),
    );
    const norms = weights.map((one) =>
      Math.sqrt([...one.values()].reduce((sum, weight) => sum + weight ** 2, 0)),
    );
    return { weights, norms, length: Math.max(0, words.length - 1) };
  };

  return captions.map((words, i) => {
    const caption = weigh(words);
    const likeness = references[i]!.map((reference) => similarity(caption, weigh(reference)));
    return (10 * likeness.reduce((sum, one) => sum + one, 0)) / likeness.length;
  });
}

/** Mean over the lengths of n-grams; what a caption says too often counts only as often as the reference does. */
function similarity(caption: Weighted, reference: Weighted): number {
  const difference = caption.length - reference.length;
  const penalty = Math.exp(-(difference ** 2) / (2 * sigma ** 2));
  let sum = 0;
  for (let n = 0; n < longest; n++) {
    let product = 0;
    for (const [ngram, weight] of caption.weights[n]!) {
      const other = reference.weights[n]!.get(ngram) ?? 0;
      product += Math.min(weight, other) * other;
    }
    const norms = caption.norms[n]! * reference.norms[n]!;
    sum += norms === 0 ? product : product / norms;
  }
  return (penalty * sum) / longest;
}
