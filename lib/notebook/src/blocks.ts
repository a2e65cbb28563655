/** The blocks of a Markdown text, as CommonMark sees them: what is shown inside a longer fence is no block of its own. */
import { parser } from "@lezer/markdown";

/** What is inside a paragraph makes no difference to where blocks begin and end. */
const blockParser = parser.configure({
  remove: [
    "Escape",
    "Entity",
    "InlineCode",
    "HTMLTag",
    "Emphasis",
    "HardBreak",
    "Link",
    "Image",
    "Autolink",
  ],
});

/** A block at the top level (not inside a list or a quotation), by its first and last line, from 0. */
export interface Block {
  first: number;
  last: number;
  /** Where it is a fenced code block. */
  fence?: Fence;
}

export interface Fence {
  /** What opens it: three or more backticks or tildes. */
  mark: string;
  info: string;
  body: string;
  /** False where it has no closing line: then it goes to the end of the text. */
  closed: boolean;
}

export function blocksOf(lines: readonly string[]): Block[] {
  const text = lines.join("\n");
  const blocks: Block[] = [];
  let line = 0;
  let lineEnd = lines[0]?.length ?? 0;
  /** The line of a place in the text; places come in ascending order. */
  const lineAt = (place: number): number => {
    while (place > lineEnd) lineEnd += 1 + (lines[++line]?.length ?? 0);
    return line;
  };
  const { topNode } = blockParser.parse(text);
  for (let node = topNode.firstChild; node !== null; node = node.nextSibling) {
    const first = lineAt(node.from);
    const last = lineAt(node.to);
    if (node.name !== "FencedCode") {
      blocks.push({ first, last });
      continue;
    }
    const marks = node.getChildren("CodeMark");
    const [opening] = marks;
    const closed = marks.length > 1;
    const info = node.getChild("CodeInfo");
    blocks.push({
      first,
      last: closed ? last : lines.length - 1,
      fence: {
        mark: opening === undefined ? "" : text.slice(opening.from, opening.to),
        info: info === null ? "" : text.slice(info.from, info.to),
        body: bodyOf(lines, first, closed ? last : lines.length),
        closed,
      },
    });
  }
  return blocks;
}

/** Lines between the fences; as far as the opening one is indented, so are they. */
function bodyOf(lines: readonly string[], first: number, end: number): string {
  const indent = /^ */.exec(lines[first] ?? "")?.[0].length ?? 0;
  const indentation = new RegExp(`^ {0,${indent}}`);
  return lines
    .slice(first + 1, end)
    .map((line) => line.replace(indentation, ""))
    .join("\n");
}

/** A fenced block that holds a body, however many backticks are in it. */
export function fenced(info: string, body: string): string {
  const longest = Math.max(
    2,
    ...[...body.matchAll(/^ {0,3}(`+)/gm)].map(([, ticks = ""]) => ticks.length),
  );
  const fence = "`".repeat(longest + 1);
  return body === "" ? `${fence}${info}\n${fence}` : `${fence}${info}\n${body}\n${fence}`;
}
