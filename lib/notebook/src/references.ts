/**
 * `{{name}}` in a prompt: another cell's output. `{{answer}}` is its text (the
 * first run's), `{{answer.2}}` the second run's or hypothesis', `{{answer.box}}`
 * the first box in it, as the model writes boxes. The name of a picture cell
 * puts that picture into the round.
 */
import { TinyGptvError, formatBox } from "@tinygptv/protocol";
import { isAsking, type Cell } from "./cell.ts";
import { cellNamed, type Notebook } from "./document.ts";
import { finalText, type Output } from "./output.ts";

const referencePattern = /\{\{\s*([A-Za-z][A-Za-z0-9_-]{0,63})(?:\.([A-Za-z0-9]+))?\s*\}\}/g;

/** A place in a text that stands for another cell, or for a part of its output. */
export interface Reference {
  name: string;
  /** What stands after the dot. */
  part: string | undefined;
}

/** The places of a text that name another cell, `{{name}}` or `{{name.part}}`, in order. */
export function referencesIn(text: string): Reference[] {
  return [...text.matchAll(referencePattern)].map((match) => ({
    name: match[1] ?? "",
    part: match[2],
  }));
}

/** Names of the cells a cell's inputs come from, without repetitions. */
export function dependencies(cell: Cell): string[] {
  const names = new Set<string>();
  const read = (pictures: readonly string[], texts: readonly string[]): void => {
    for (const picture of pictures) names.add(picture);
    for (const text of texts) for (const reference of referencesIn(text)) names.add(reference.name);
  };
  if (cell.type === "chart" && cell.source !== "") names.add(cell.source);
  else if (cell.type === "finetune")
    for (const used of [cell.source, cell.replay]) {
      if (used !== undefined && used !== "") names.add(used);
    }
  else if (cell.type === "evaluate")
    for (const item of cell.items) read(item.pictures, [item.prompt]);
  else if (isAsking(cell)) read(cell.pictures, cell.rounds);
  return [...names];
}

/** The cell with every use of one name turned into another. */
export function withRenamed(cell: Cell, from: string, to: string): Cell {
  const inList = (names: readonly string[]) => names.map((name) => (name === from ? to : name));
  const inText = (text: string) =>
    text.replace(referencePattern, (whole: string, name: string, part: string | undefined) =>
      name === from ? `{{${to}${part === undefined ? "" : `.${part}`}}}` : whole,
    );
  if (cell.type === "chart") return { ...cell, source: cell.source === from ? to : cell.source };
  if (cell.type === "finetune") {
    const [source, replay] = inList([cell.source, cell.replay ?? ""]) as [string, string];
    return { ...cell, source, ...(cell.replay !== undefined && { replay }) };
  }
  if (!isAsking(cell)) return cell;
  if (cell.type !== "evaluate")
    return { ...cell, pictures: inList(cell.pictures), rounds: cell.rounds.map(inText) };
  const items = cell.items.map((item) => ({
    ...item,
    pictures: inList(item.pictures),
    prompt: inText(item.prompt),
  }));
  return { ...cell, items };
}

/**
 * The cells that have to run before `cell`, first to last, `cell` itself last.
 * @throws TinyGptvError "prompt" where cells use each other in a circle
 */
export function runOrder(notebook: Notebook, cell: Cell): Cell[] {
  const order: Cell[] = [];
  const path: Cell[] = [];
  const visit = (current: Cell): void => {
    if (order.includes(current)) return;
    if (path.includes(current)) {
      const circle = [...path.slice(path.indexOf(current)), current].map((c) => c.name ?? c.id);
      throw new TinyGptvError(
        "prompt",
        `cells use each other in a circle: ${circle.join(" -> ")}`,
        { subject: cell.name ?? cell.id },
      );
    }
    path.push(current);
    for (const name of dependencies(current)) {
      const needed = cellNamed(notebook, name);
      if (needed !== undefined) visit(needed);
    }
    path.pop();
    order.push(current);
  };
  visit(cell);
  return order;
}

/** The output that a cell shows; undefined where it has none. */
export type OutputOf = (cell: Cell) => Output | undefined;

export interface ResolvedRound {
  text: string;
  /** Names of the picture cells that belong to this round. */
  pictures: string[];
}

/**
 * Replaces the references of one round.
 * @throws TinyGptvError "prompt" naming the reference that has no cell or no output yet
 */
export function resolveRound(
  notebook: Notebook,
  round: string,
  pictures: readonly string[],
  outputOf: OutputOf,
): ResolvedRound {
  const used = [...pictures];
  for (const name of used) {
    if (cellNamed(notebook, name)?.type !== "picture") {
      throw new TinyGptvError("prompt", `pictures: want the name of a picture cell, got ${name}`, {
        subject: name,
      });
    }
  }
  const text = round.replace(referencePattern, (whole, name: string, part: string | undefined) => {
    const cell = cellNamed(notebook, name);
    if (cell === undefined) {
      throw new TinyGptvError("prompt", `${whole}: no cell is called ${name}`, { subject: name });
    }
    if (cell.type === "picture") {
      used.push(name);
      return "";
    }
    return valueOf(cell, part, whole, outputOf);
  });
  return { text: used.length > pictures.length ? text.trim() : text, pictures: used };
}

function valueOf(cell: Cell, part: string | undefined, whole: string, outputOf: OutputOf): string {
  if (cell.type === "text") return cell.source;
  const output = outputOf(cell);
  const values =
    output === undefined
      ? []
      : output.runs.length === 1
        ? (output.runs[0]?.answers.at(-1)?.hypotheses ?? []).map((hypothesis) => hypothesis.text)
        : output.runs.map(finalText);
  const value =
    part === "box" ? firstBox(output) : values[part === undefined ? 0 : Number(part) - 1];
  if (value === undefined) {
    const reason =
      output === undefined ? "has no output yet; run it first" : `has no part .${part ?? "1"}`;
    throw new TinyGptvError("prompt", `${whole}: ${cell.name ?? cell.id} ${reason}`, {
      subject: cell.name ?? cell.id,
    });
  }
  return value;
}

function firstBox(output: Output | undefined): string | undefined {
  const box = output?.runs[0]?.answers.at(-1)?.boxes[0];
  return box && formatBox(box.percent);
}
