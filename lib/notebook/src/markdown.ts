/**
 * The file format: Markdown that reads well in a diff and on any Markdown
 * viewer. Front matter, then text cells as they are and all others as fences:
 *
 *     ---
 *     format: tinygptv-notebook/1
 *     title: First steps
 *     ---
 *
 *     # A dog
 *
 *     ```picture dog
 *     file: ../models/nano/gallery/dog.png
 *     ```
 *
 *     ```prompt answer
 *     pictures: [ dog ]
 *     ---
 *     what is this?
 *     ```
 *
 * Two text cells in a row are kept apart by a line `<!-- cell -->`. A text line
 * that would open a cell is written with a backslash before it.
 */
import { stringify } from "yaml";
import { TinyGptvError } from "@tinygptv/protocol";
import type { Cell } from "./cell.ts";
import { checkNotebook, notebookFormat, type Notebook } from "./document.ts";
import {
  escapeLines,
  fencedTypes,
  readFence,
  readYaml,
  unescapeLines,
  writeFence,
} from "./fence.ts";

const boundary = "<!-- cell -->";
const opening = new RegExp(`^(\`{3,})(${fencedTypes.join("|")})(?: .*)?$`);
const special = new RegExp(
  `^(?:\`{3,}(?:${fencedTypes.join("|")})(?: .*)?|<!-- (?:cell|name: .*) -->)$`,
);
const nameLine = /^<!-- name: (\S+) -->$/;

/** Largest file read, in characters; pictures and outputs lie beside it. */
const maxMarkdownLength = 8_000_000;

export function toMarkdown(notebook: Notebook): string {
  const front = {
    format: notebookFormat,
    title: notebook.title,
    ...(notebook.model !== undefined && { model: notebook.model }),
  };
  const blocks: string[] = [`---\n${stringify(front, { lineWidth: 0 })}---`];
  notebook.cells.forEach((cell, index) => {
    const next = notebook.cells[index + 1];
    blocks.push(cell.type === "text" ? writeText(cell) : writeCell(cell));
    // An empty or edge-spaced text would lose its bounds among blank lines.
    if (
      cell.type === "text" &&
      (next === undefined ? needsEnd(cell.source) : next.type === "text" || needsEnd(cell.source))
    )
      blocks.push(boundary);
  });
  return `${blocks.join("\n\n")}\n`;
}

const needsEnd = (source: string): boolean => source.trim() === "" || source !== source.trim();

function writeText(cell: Extract<Cell, { type: "text" }>): string {
  const text = escapeLines(cell.source, special);
  return cell.name === undefined ? text : `<!-- name: ${cell.name} -->\n${text}`;
}

function writeCell(cell: Exclude<Cell, { type: "text" }>): string {
  const { info, body } = writeFence(cell);
  const longest = Math.max(2, ...[...body.matchAll(/^`+/gm)].map((match) => match[0].length));
  const fence = "`".repeat(longest + 1);
  return body === "" ? `${fence}${info}\n${fence}` : `${fence}${info}\n${body}\n${fence}`;
}

/**
 * Reads a notebook file. Markdown without front matter is a notebook of text cells.
 * @param file its name, for messages (`first-steps.md:12: prompt: …`)
 * @throws TinyGptvError "parameter" naming file and line
 */
export function fromMarkdown(markdown: string, file = "notebook.md"): Notebook {
  if (markdown.length > maxMarkdownLength) {
    throw new TinyGptvError(
      "parameter",
      `${file}: want at most ${maxMarkdownLength} characters, got ${markdown.length}`,
    );
  }
  const lines = markdown.replaceAll("\r\n", "\n").split("\n");
  const { front, start } = readFront(lines, file);
  const cells = readCells(lines, start, file);
  const title =
    front["title"] ?? headingOf(cells) ?? file.replace(/^.*\//, "").replace(/\.md$/, "");
  return checkNotebook({ title, ...("model" in front && { model: front["model"] }), cells }, file);
}

function readFront(
  lines: readonly string[],
  file: string,
): { front: Record<string, unknown>; start: number } {
  if (lines[0] !== "---") return { front: {}, start: 0 };
  const end = lines.indexOf("---", 1);
  if (end === -1)
    throw new TinyGptvError(
      "parameter",
      `${file}:1: front matter: want a closing line ---, found none`,
    );
  const front = readYaml(lines.slice(1, end).join("\n"), `${file}:1: front matter`);
  const format = front["format"];
  if (format !== undefined && format !== notebookFormat) {
    throw new TinyGptvError(
      "parameter",
      `${file}:1: format: want ${notebookFormat}, got ${String(format)}`,
    );
  }
  return { front, start: end + 1 };
}

function readCells(lines: readonly string[], start: number, file: string): Cell[] {
  const cells: Cell[] = [];
  const id = (): string => `c${cells.length + 1}`;
  let text: string[] = [];
  const endText = (kept: boolean): void => {
    const name = nameLine.exec(text.find((line) => line !== "") ?? "")?.[1];
    const body = name === undefined ? text : text.slice(text.findIndex((line) => line !== "") + 1);
    // Blocks are set apart by one blank line on either side; a boundary keeps all other space.
    const source = kept
      ? trimBlankEdge(body, name === undefined).join("\n")
      : body.join("\n").trim();
    if (kept || source !== "" || name !== undefined) {
      cells.push({
        type: "text",
        id: id(),
        ...(name !== undefined && { name }),
        source: unescapeLines(source, special),
      });
    }
    text = [];
  };
  for (let i = start; i < lines.length; i++) {
    const line = lines[i] ?? "";
    const open = opening.exec(line);
    if (open !== null) {
      endText(false);
      const end = lines.indexOf(open[1] ?? "", i + 1);
      if (end === -1)
        throw new TinyGptvError(
          "parameter",
          `${file}:${i + 1}: ${open[2]}: want a closing ${open[1]}, found none`,
        );
      cells.push(
        readFence(
          line.slice(open[1]?.length),
          lines.slice(i + 1, end).join("\n"),
          id(),
          `${file}:${i + 1}`,
        ),
      );
      i = end;
    } else if (line === boundary) endText(true);
    else text.push(line);
  }
  endText(false);
  return cells;
}

function trimBlankEdge(lines: readonly string[], leading: boolean): string[] {
  const from = leading && lines[0] === "" ? 1 : 0;
  const to = lines.at(-1) === "" && lines.length > from ? -1 : undefined;
  return lines.slice(from, to);
}

function headingOf(cells: readonly Cell[]): string | undefined {
  const first = cells.find((cell) => cell.type === "text");
  return first?.type === "text" ? /^#\s+(.+)$/m.exec(first.source)?.[1]?.slice(0, 200) : undefined;
}
