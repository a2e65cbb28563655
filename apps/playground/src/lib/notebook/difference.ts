import { canonicalJson } from "@tinygptv/notebook";
import type { Cell, Notebook } from "@tinygptv/notebook";

/** What an earlier version has that the later one has not: `2 cells changed since, 1 deleted since`. */
export function differenceInWords(earlier: Notebook, later: Notebook): string {
  const text = (cell: Cell): string => canonicalJson(cell);
  const before = new Map(earlier.cells.map((cell) => [cell.id, text(cell)]));
  const after = new Map(later.cells.map((cell) => [cell.id, text(cell)]));
  const ids = [...before.keys()].filter((id) => after.has(id));
  const counts = {
    "changed since": ids.filter((id) => before.get(id) !== after.get(id)).length,
    "deleted since": before.size - ids.length,
    "added since": after.size - ids.length,
  };
  const parts = Object.entries(counts).flatMap(([what, count]) =>
    count === 0 ? [] : [`${count} ${count === 1 ? "cell" : "cells"} ${what}`],
  );
  if (parts.length > 0) return parts.join(", ");
  const order = later.cells.map(({ id }) => id);
  return ids.every((id, index) => id === order[index])
    ? "the same cells"
    : "the same cells in another order";
}
