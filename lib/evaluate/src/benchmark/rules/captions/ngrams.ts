/** Longest n-grams that caption metrics look at. */
export const longest = 4;

/** How often each run of 1 to 4 words occurs, by its length. */
export function countNgrams(words: readonly string[]): Map<string, number>[] {
  return Array.from({ length: longest }, (_, i) => {
    const counts = new Map<string, number>();
    for (let start = 0; start + i < words.length; start++) {
      const ngram = words.slice(start, start + i + 1).join(" ");
      counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
    }
    return counts;
  });
}
