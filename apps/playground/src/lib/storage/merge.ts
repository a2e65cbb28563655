import { canonicalJson } from "@tinygptv/notebook";
import type { Cell, Notebook } from "@tinygptv/notebook";
import { newId } from "#lib/notebook/newId.ts";

/**
 * Joins two tabs' versions of a notebook, given the one both started from. A
 * cell changed on one side is taken from that side; changed on both, mine stays
 * and theirs follows as a cell of its own, so that no keystroke is lost.
 */
export function mergeNotebooks(base: Notebook, mine: Notebook, theirs: Notebook): Notebook {
  const before = byId(base);
  const here = byId(mine);
  const there = byId(theirs);
  const cells: Cell[] = [];
  for (const cell of mine.cells) {
    const other = there.get(cell.id);
    const origin = before.get(cell.id);
    const changedHere = !same(cell, origin);
    if (other === undefined) {
      // Deleted there: stays only if it is new or was changed here.
      if (origin === undefined || changedHere) cells.push(cell);
    } else if (!changedHere) cells.push(other);
    else if (same(other, origin) || same(other, cell)) cells.push(cell);
    else cells.push(cell, conflictCopy(other));
  }
  return {
    title: mine.title === base.title ? theirs.title : mine.title,
    ...modelOf(mine.model === base.model ? theirs : mine),
    cells: insertNew(
      cells,
      theirs.cells.filter((cell) => !here.has(cell.id) && arrived(cell, before.get(cell.id))),
      theirs.cells,
    ),
  };
}

/** Not deleted here: unknown to the common version, or changed since. */
const arrived = (cell: Cell, origin: Cell | undefined): boolean =>
  origin === undefined || !same(cell, origin);

/** Their new cells, each behind the cell it follows over there. */
function insertNew(cells: Cell[], fresh: readonly Cell[], order: readonly Cell[]): Cell[] {
  const merged = [...cells];
  for (const cell of fresh) {
    const previous = order[order.indexOf(cell) - 1];
    const at = previous === undefined ? -1 : merged.findIndex(({ id }) => id === previous.id);
    merged.splice(at === -1 && previous !== undefined ? merged.length : at + 1, 0, cell);
  }
  return merged;
}

/** The other version of a cell that was changed on both sides. */
export function conflictCopy(cell: Cell): Cell {
  const { name: _name, ...rest } = cell;
  return { ...rest, id: newId() };
}

const byId = (notebook: Notebook): Map<string, Cell> =>
  new Map(notebook.cells.map((cell) => [cell.id, cell]));
const same = (a: Cell, b: Cell | undefined): boolean => canonicalJson(a) === canonicalJson(b);
const modelOf = ({ model }: Notebook): { model?: string } => (model === undefined ? {} : { model });
