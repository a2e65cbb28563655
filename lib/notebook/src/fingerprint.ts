import { isAsking, type Cell } from "./cell.ts";
import { cellNamed, type Notebook } from "./document.ts";
import { canonicalJson, contentHash } from "./hash.ts";
import { dependencies, withRenamed, type OutputOf } from "./references.ts";
import type { Output } from "./output.ts";

/** "empty": nothing there; "stale": made from other inputs than the cell has now. */
export type Freshness = "empty" | "fresh" | "stale";

/**
 * Identifies everything a cell's output depends on: its own fields, the level,
 * the files of its pictures and the texts it refers to. By content: a cell whose
 * upstream ran again and gave the same text, or got another name, stays fresh.
 */
export function fingerprint(notebook: Notebook, cell: Cell, outputOf: OutputOf): string {
  const names = dependencies(cell);
  const nameless = names.reduce((each, name, i) => withRenamed(each, name, `$${i}`), cell);
  const { id: _id, name: _name, ...fields } = nameless;
  const own: Record<string, unknown> = {
    ...fields,
    model: ("model" in fields && fields.model) || notebook.model,
  };
  delete own["output"];
  delete own["auto"];
  delete own["together"];
  const inputs = names.map((name) => valueIdentity(notebook, name, outputOf));
  return contentHash(canonicalJson({ own, inputs }));
}

/** Whether a cell's output was made from what stands in the notebook now. */
export function freshness(
  notebook: Notebook,
  cell: Cell,
  output: Output | undefined,
  outputOf: OutputOf,
): Freshness {
  if (!isAsking(cell) || output === undefined) return "empty";
  return output.inputs === fingerprint(notebook, cell, outputOf) ? "fresh" : "stale";
}

function valueIdentity(notebook: Notebook, name: string, outputOf: OutputOf): unknown {
  const cell = cellNamed(notebook, name);
  if (cell === undefined) return undefined;
  if (cell.type === "picture") return cell.file;
  if (cell.type === "text") return cell.source;
  return outputOf(cell)?.runs.map((run) =>
    run.answers.map((answer) => [answer.text, answer.boxes]),
  );
}
