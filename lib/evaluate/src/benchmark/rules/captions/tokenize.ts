/**
 * Captions as words, as coco-caption's evaluation has them: Penn Treebank's
 * tokens in small letters without punctuation. The original is Stanford's
 * PTBTokenizer, a program in Java of some thousand rules; here are those that
 * captions meet. It differs in rare abbreviations, in addresses of the web, and
 * in emoticons.
 */

/** Words that keep a full stop. */
const abbreviations = "mr|mrs|ms|dr|prof|st|jr|sr|vs|etc|inc|co|corp|ltd|ave|blvd";

/** Written as one, two words in the Treebank. */
const joined: ReadonlyMap<string, string> = new Map([
  ["cannot", "can not"],
  ["gonna", "gon na"],
  ["gotta", "got ta"],
  ["wanna", "wan na"],
  ["gimme", "gim me"],
  ["lemme", "lem me"],
]);

const brackets: Readonly<Record<string, string>> = {
  "(": "-lrb-",
  ")": "-rrb-",
  "[": "-lsb-",
  "]": "-rsb-",
  "{": "-lcb-",
  "}": "-rcb-",
};

const token = new RegExp(
  [
    String.raw`\b(?:\p{L}\.){2,}`, // u.s., a.m.
    String.raw`\b(?:${abbreviations})\.`,
    String.raw`\d+(?:[.,:/]\d+)+(?![\p{L}\p{N}])`, // 1,000 and 3.5 and 10:30
    String.raw`[\p{L}\p{N}_]+(?:[-/'][\p{L}\p{N}_]+)*`,
    String.raw`'(?:s|m|d|re|ve|ll)\b`,
    String.raw`\.\.+|--+|\S`,
  ].join("|"),
  "gu",
);

/** Endings that are words of their own. */
const ending = /(?<=.)(n't|'(?:s|m|d|re|ve|ll))$/u;

/** What is left out, as coco-caption lists it. */
const punctuation: ReadonlySet<string> = new Set([
  "'",
  "`",
  '"',
  ".",
  "?",
  "!",
  ",",
  ":",
  "-",
  ";",
]);
const isPunctuation = (word: string): boolean =>
  punctuation.has(word) || /^(\.\.+|--+)$/.test(word);

/** The words of a caption. */
export function tokenizeCaption(caption: string): string[] {
  const text = caption
    .toLowerCase()
    .replace(/[‘’´]/g, "'")
    .replace(/[“”«»]|''|``/g, '"')
    .replace(/…/g, "...")
    .replace(/[–—]/g, "--");
  return (text.match(token) ?? [])
    .flatMap((word) => (joined.get(word) ?? word.replace(ending, " $1")).split(" "))
    .map((word) => brackets[word] ?? word)
    .filter((word) => !isPunctuation(word));
}
