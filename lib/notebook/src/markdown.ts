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
 * It is cut as CommonMark cuts it: what is shown inside a longer fence is text.
 * Two text cells in a row are kept apart by a line `<!-- cell -->`; a text line
 * that would open a cell is written with a backslash before it (`escape.ts`). A
 * fence with something in it that is not accepted is a cell too, as it is written.
 */
import { stringify } from "yaml";
import { TinyGptvError } from "@tinygptv/protocol";
import { fenced } from "./blocks.ts";
import type { Cell, CellOf } from "./cell.ts";
import { checkNotebook, maxCells, notebookFormat, type Notebook } from "./document.ts";
import { boundary, escapeText, opensCell } from "./escape.ts";
import { fenceIn, writeFence } from "./fence.ts";
import { readCells } from "./readCells.ts";
import { readFront } from "./frontMatter.ts";
import type { Remark } from "./remark.ts";

/** Largest file read, in characters; pictures and outputs lie beside it. */
const maxMarkdownLength = 8_000_000;

/** The notebook as a Markdown file, which `fromMarkdown` reads back. */
export function toMarkdown(notebook: Notebook): string {
  const front = {
    format: notebookFormat,
    title: notebook.title,
    ...(notebook.model !== undefined && { model: notebook.model }),
  };
  const blocks: string[] = [`---\n${stringify(front, { lineWidth: 0 })}---`];
  const cells = notebook.cells.map(asWritten);
  cells.forEach((cell, index) => {
    const next = cells[index + 1];
    blocks.push(writeCell(cell));
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

/** A faulty cell that is no cell's fence any more is text. */
function asWritten(cell: Cell): Cell {
  if (cell.type !== "faulty") return cell;
  const fence = fenceIn(cell.source);
  return fence !== undefined && opensCell(fence.info)
    ? cell
    : { type: "text", id: cell.id, source: cell.source };
}

function writeCell(cell: Cell): string {
  if (cell.type === "text") {
    const text = escapeText(cell.source);
    return cell.name === undefined ? text : `<!-- name: ${cell.name} -->\n${text}`;
  }
  if (cell.type === "faulty") return writeFaulty(cell);
  const { info, body } = writeFence(cell);
  return fenced(info, body);
}

/** As it is; a fence without an end gets one, so that it does not take in what follows. */
function writeFaulty({ source }: CellOf<"faulty">): string {
  const mark = /^ {0,3}([`~]+)/.exec(source)?.[1];
  return fenceIn(source)?.closed === false ? `${source}\n${mark}` : source;
}

/** What a notebook file was read as. */
export interface ReadMarkdown {
  notebook: Notebook;
  /** What was not taken as it stands, by lines. */
  remarks: Remark[];
}

/**
 * Reads a notebook file. Markdown without front matter is a notebook of text
 * cells. Whatever is wrong in a cell is told, and the cell kept as it is written.
 * @param file its name, for messages
 * @throws TinyGptvError "parameter" where the file as a whole cannot be a notebook:
 *   another format, too long, too many cells
 */
export function fromMarkdown(markdown: string, file = "notebook.md"): ReadMarkdown {
  if (markdown.length > maxMarkdownLength) {
    throw new TinyGptvError(
      "parameter",
      `${file}: want at most ${maxMarkdownLength} characters, got ${markdown.length}`,
    );
  }
  const lines = markdown
    .replace(/^\uFEFF/, "")
    .replaceAll("\r\n", "\n")
    .split("\n");
  const front = readFront(lines, file);
  const { cells, remarks } = readCells(lines, front);
  if (cells.length > maxCells)
    throw new TinyGptvError(
      "parameter",
      `${file}: want at most ${maxCells} cells, got ${cells.length}`,
    );
  const title = front.title ?? headingOf(cells) ?? file.replace(/^.*\//, "").replace(/\.md$/, "");
  const notebook = checkNotebook(
    { title, ...(front.model !== undefined && { model: front.model }), cells },
    file,
  );
  return { notebook, remarks: [...front.remarks, ...remarks] };
}

function headingOf(cells: readonly Cell[]): string | undefined {
  const first = cells.find((cell) => cell.type === "text");
  return first?.type === "text" ? /^#\s+(.+)$/m.exec(first.source)?.[1]?.slice(0, 200) : undefined;
}
