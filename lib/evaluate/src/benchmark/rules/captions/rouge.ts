/** ROUGE-L (Lin, 2004) as coco-caption computes it: recall counts more than precision by this factor, squared. */
const beta = 1.2;

/** The best precision and the best recall of the longest common subsequence, over all references. */
export function rougeL(
  words: readonly string[],
  references: readonly (readonly string[])[],
): number {
  const common = references.map((reference) => longestCommon(words, reference));
  const precision = Math.max(...common) / Math.max(1, words.length);
  const recall = Math.max(...common.map((n, i) => n / Math.max(1, references[i]!.length)));
  if (precision === 0 || recall === 0) return 0;
  return ((1 + beta ** 2) * precision * recall) / (recall + beta ** 2 * precision);
}

/** Length of the longest common subsequence. */
function longestCommon(a: readonly string[], b: readonly string[]): number {
  let before = Array.from({ length: b.length + 1 }, () => 0);
  for (const word of a) {
    const lengths = [0];
    b.forEach((other, j) =>
      lengths.push(word === other ? before[j]! + 1 : Math.max(before[j + 1]!, lengths[j]!)),
    );
    before = lengths;
  }
  return before.at(-1)!;
}
