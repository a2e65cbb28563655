/**
 * A text cell as Markdown that reads back as that text and nothing else. A line
 * that would open a cell, or a block that does not end with the text, is written
 * with a backslash before it; one that begins with such a backslash anyway, with
 * one more. What stands inside a longer fence needs none.
 */
import { blocksOf } from "./blocks.ts";
import { kindIn, misspeltKind } from "./kinds.ts";

export const boundary = "<!-- cell -->";

/** Lines that can open a fence, a comment or another block that goes on over blank lines. */
const opener = "(?:`{3}|~{3}|<!|<\\?|<(?:pre|script|style|textarea)\\b)";
const escaped = new RegExp(`^\\\\+ {0,3}${opener}`, "i");
const escapable = new RegExp(`^\\\\* {0,3}${opener}`, "i");
const comment = /^ {0,3}<!-- (?:cell|name: .*) -->\s*$/;
const boundaryLine = /^ {0,3}<!-- cell -->\s*$/;

export const isBoundary = (line: string): boolean => boundaryLine.test(line);

/** Texts with more of such lines get a backslash before all that could need one. */
const maxEscapes = 50;

export function escapeText(text: string): string {
  const lines = text.split("\n").map((line) => (escaped.test(line) ? `\\${line}` : line));
  for (let count = 0; count <= maxEscapes; count++) {
    const wrong = firstWrong(lines);
    if (wrong === undefined) return lines.join("\n");
    lines[wrong] = `\\${lines[wrong]}`;
  }
  return text
    .split("\n")
    .map((line) => (escapable.test(line) ? `\\${line}` : line))
    .join("\n");
}

export const unescapeText = (text: string): string =>
  text
    .split("\n")
    .map((line) => (escaped.test(line) ? line.slice(1) : line))
    .join("\n");

/** The first line that would not be read as part of the text, or would keep the text from ending. */
function firstWrong(lines: readonly string[]): number | undefined {
  const followed = [...lines, "", boundary];
  const blocks = blocksOf(followed);
  const wrong = blocks.find(
    ({ first, last, fence }) =>
      (fence === undefined
        ? first === last && comment.test(followed[first] ?? "")
        : opensCell(fence.info)) || last === followed.length - 1,
  );
  return wrong === undefined || wrong.first === followed.length - 1 ? undefined : wrong.first;
}

export const opensCell = (info: string): boolean =>
  kindIn(info) !== undefined || misspeltKind(info) !== undefined;
