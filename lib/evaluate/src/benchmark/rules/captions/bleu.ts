/** BLEU (Papineni et al., 2002) over all captions of a set, as coco-caption computes it. */
import { countNgrams, longest } from "./ngrams.ts";

/** Keep quotients defined, too small to show. */
const small = 1e-9;
const tiny = 1e-15;

/**
 * What a caption adds to BLEU: right n-grams for n of 1 to 4, n-grams there are,
 * its length, and the length of the reference that is nearest to it.
 */
export function bleuStatistics(
  words: readonly string[],
  references: readonly (readonly string[])[],
): number[] {
  const most = references.map(countNgrams);
  const right = countNgrams(words).map((counts, n) =>
    [...counts].reduce((sum, [ngram, count]) => {
      const allowed = Math.max(...most.map((lengths) => lengths[n]!.get(ngram) ?? 0));
      return sum + Math.min(count, allowed);
    }, 0),
  );
  const there = Array.from({ length: longest }, (_, n) => Math.max(0, words.length - n));
  return [...right, ...there, words.length, nearestLength(words.length, references)];
}

/** Of two as near, the shorter. */
function nearestLength(length: number, references: readonly (readonly string[])[]): number {
  const distance = (other: number): number => Math.abs(other - length);
  return references
    .map((words) => words.length)
    .reduce((best, other) =>
      distance(other) < distance(best) || (distance(other) === distance(best) && other < best)
        ? other
        : best,
    );
}

/** BLEU-n from sums of statistics: geometric mean of the precisions, less where captions are too short. */
export function bleu(n: number, sums: readonly number[]): number {
  let product = 1;
  for (let i = 0; i < n; i++) product *= (sums[i]! + tiny) / (sums[longest + i]! + small);
  const [length, wanted] = sums.slice(2 * longest) as [number, number];
  const share = (length + tiny) / (wanted + small);
  return product ** (1 / n) * (share < 1 ? Math.exp(1 - 1 / share) : 1);
}
