/** Numbers as VQA's evaluation reads them; "none" is one of them. */
const numbers = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const digits = new Map([
  ...[...numbers, "ten"].map((word, value): [string, string] => [word, String(value)]),
  ["none", "0"],
]);
const articles: ReadonlySet<string> = new Set(["a", "an", "the"]);

/**
 * A short answer without what does not matter, as VQA's evaluation has it:
 * capitals, articles, punctuation (but a decimal point), the apostrophes of
 * contractions, and number words, which become digits. An answer of nothing
 * else ("A", "?") stays as it is, in small letters.
 */
export function normaliseAnswer(answer: string): string {
  const text = answer.normalize("NFKC").toLowerCase().trim();
  const words = text
    .replace(/['’`´]/g, "") // dont is don't
    .replace(/(?<=\d),(?=\d)/g, "") // 1,000
    .replace(/(?<!\d)\.|\.(?!\d)/g, " ")
    .replace(/[^\P{P}.%#&*]|[+=<>]/gu, " ")
    .split(/\s+/)
    .filter((word) => word !== "" && !articles.has(word))
    .map((word) => digits.get(word) ?? word);
  return words.length > 0 ? words.join(" ") : text;
}
