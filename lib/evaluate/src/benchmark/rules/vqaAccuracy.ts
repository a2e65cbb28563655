/** VQA accuracy (Antol et al., 2015), as the evaluation tool of VQA computes it. */

/**
 * Means over leaving out each person: a third for each of the others who gave
 * this answer, 1 at most. Where people disagree, answers are compared without
 * punctuation, articles and number words; where all say the same, as they are.
 * @param answers of all people, each as often as it was given
 */
export function vqaAccuracy(answer: string, answers: readonly string[]): number {
  const given = answers.map(onOneLine);
  const isDisputed = new Set(given).size > 1;
  const compared = (text: string): string =>
    (isDisputed ? withoutDigitsAndArticles(withoutPunctuation(text)) : text).toLowerCase();
  const own = compared(onOneLine(answer));
  const matches = given.map((one) => compared(one) === own);
  const all = matches.filter(Boolean).length;
  const parts = matches.map((isOwn) => Math.min(1, (all - (isOwn ? 1 : 0)) / 3));
  return parts.reduce((sum, part) => sum + part, 0) / parts.length;
}

const onOneLine = (text: string): string => text.replace(/[\n\t]/g, " ").trim();

const punctuation = [...';/[]"{}()=+\\_-><@`,?!'];

/** A mark beside a space goes, and so do all where a number has a comma; elsewhere it becomes a space. */
function withoutPunctuation(text: string): string {
  const hasNumber = /\d,\d/.test(text);
  const marked = punctuation.reduce((result, mark) => {
    const goes = hasNumber || text.includes(`${mark} `) || text.includes(` ${mark}`);
    return result.replaceAll(mark, goes ? "" : " ");
  }, text);
  return marked.replace(/\.(?!\d)/g, "");
}

const numberWords = [
  "zero",
  "one",
  "two",
  "three",
  "four",
  "five",
  "six",
  "seven",
  "eight",
  "nine",
];
const numbers: ReadonlyMap<string, string> = new Map([
  ...[...numberWords, "ten"].map((word, value): [string, string] => [word, String(value)]),
  ["none", "0"],
]);
const articles: ReadonlySet<string> = new Set(["a", "an", "the"]);

function withoutDigitsAndArticles(text: string): string {
  return text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "")
    .map((word) => numbers.get(word) ?? word)
    .filter((word) => !articles.has(word))
    .map((word) => contractions.get(word) ?? word)
    .join(" ");
}

/**
 * Contractions without their apostrophe become those with it. The tool lists
 * them one by one; here they are stems with the same ending. What it has for
 * doubled ones (`couldn'tve`) is left out.
 */
const contractions: ReadonlyMap<string, string> = new Map([
  ...[
    [
      "n't",
      "ai are ca could did does do had has have is might must need ought sha should was were wo would",
    ],
    ["'ve", "could might must not should they we what where who would you"],
    ["'d", "he how it someone there they where who you"],
    ["'ll", "how it somebody someone something they what who why you"],
    ["'re", "there they what why you"],
    ["'s", "he how someone somebody that there what when where who why"],
  ].flatMap(([ending, stems]) =>
    stems!.split(" ").map((stem): [string, string] => {
      const written = `${stem}${ending}`;
      return [written.replace("'", ""), written];
    }),
  ),
  ["maam", "ma'am"],
  ["oclock", "o'clock"],
  ["twas", "'twas"],
  ["yall", "y'all"],
]);
