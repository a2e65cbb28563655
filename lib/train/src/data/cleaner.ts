/** What Python's `\s` and `strip` take for space; JavaScript's own table is another. */
const space = String.raw`[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]`;
const spaces = new RegExp(`${space}{2,}`, "g");
const outerSpaces = new RegExp(`^${space}+|${space}+$`, "g");
const maxWords = 50;

/**
 * The reference's text processor (`blip_caption`): lower case, `.!"()*#:;~` and runs of
 * spaces become one space, at most 50 words.
 */
export function clean(text: string): string {
  const cleaned = text
    .toLowerCase()
    .replaceAll(/[.!"()*#:;~]/g, " ")
    .replaceAll(spaces, " ")
    .replace(/\n+$/, "")
    .replaceAll(/^ +| +$/g, "");
  return cleaned.split(" ").slice(0, maxWords).join(" ");
}

/** LLaVA's first question without its mark and line breaks. */
export function inOneLine(question: string): string {
  return question.replaceAll("<image>", "").replaceAll("\n", "").replaceAll(outerSpaces, "");
}
