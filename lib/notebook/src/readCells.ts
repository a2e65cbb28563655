/** The cells of a Markdown file: fences of our kinds, and the texts between them. */
import { blocksOf, type Fence } from "./blocks.ts";
import { cellNameSchema, type Cell } from "./cell.ts";
import { isBoundary, opensCell, unescapeText } from "./escape.ts";
import { readWhole, withOwnName } from "./fence.ts";
import type { Front } from "./frontMatter.ts";
import type { Mistake, Remark } from "./remark.ts";

const nameLine = /^<!-- name: (\S+) -->$/;

export function readCells(
  lines: readonly string[],
  { start, ours, rest }: Pick<Front, "start" | "ours" | "rest">,
): { cells: Cell[]; remarks: Remark[] } {
  const cells: Cell[] = [];
  const remarks: Remark[] = [];
  const names = new Set<string | undefined>();
  const id = (): string => `c${cells.length + 1}`;
  const say = (first: number, { line, message }: Mistake): void =>
    void remarks.push({ kind: "mistake", place: `line ${first + line + 1}`, message });

  /** @param kept whether a boundary ends it: then it may be empty, or have space at its edges */
  function endText(from: number, to: number, kept: boolean): void {
    const text = lines.slice(from, to);
    const at = text.findIndex((line) => line !== "");
    const wanted = nameLine.exec(text[at] ?? "")?.[1];
    const wrong = wanted === undefined ? undefined : nameProblem(wanted, names);
    if (wrong !== undefined) say(from + at, { line: 0, message: wrong });
    const name = wrong === undefined ? wanted : undefined;
    const body = name === undefined ? text : text.slice(at + 1);
    // Blocks are set apart by one blank line on either side; a boundary keeps all other space.
    const source = kept
      ? trimBlankEdge(body, name === undefined).join("\n")
      : body.join("\n").trim();
    if (!kept && source === "" && name === undefined) return;
    names.add(name);
    cells.push({
      type: "text",
      id: id(),
      ...(name !== undefined && { name }),
      source: ours ? unescapeText(source) : source,
    });
  }

  function addFence(fence: Fence, first: number, last: number): void {
    const read = withOwnName(readWhole(fence, id()), names);
    for (const mistake of read.mistakes) say(first, mistake);
    const source = lines
      .slice(first, last + 1)
      .join("\n")
      .trimEnd();
    const cell = read.cell ?? { type: "faulty" as const, id: id(), source };
    if ("name" in cell) names.add(cell.name);
    cells.push(cell);
  }

  if (rest !== undefined) cells.push({ type: "text", id: id(), source: rest });
  let from = start;
  for (const block of blocksOf(lines.slice(start))) {
    const [first, last] = [start + block.first, start + block.last];
    if (block.fence !== undefined && opensCell(block.fence.info)) {
      endText(from, first, false);
      addFence(block.fence, first, last);
    } else if (first === last && block.fence === undefined && isBoundary(lines[first] ?? "")) {
      endText(from, first, true);
    } else continue;
    from = last + 1;
  }
  endText(from, lines.length, false);
  return { cells, remarks };
}

function nameProblem(name: string, taken: ReadonlySet<string | undefined>): string | undefined {
  if (!cellNameSchema.safeParse(name).success)
    return `text: name: want a letter, then letters, digits, _ or -, got ${name}`;
  return taken.has(name) ? `text: another cell is called ${name}; want another name` : undefined;
}

function trimBlankEdge(lines: readonly string[], leading: boolean): string[] {
  const from = leading && lines[0] === "" ? 1 : 0;
  const to = lines.at(-1) === "" && lines.length > from ? -1 : undefined;
  return lines.slice(from, to);
}
