import type { Cell, Notebook } from "@tinygptv/notebook";
import { expect, it } from "vitest";
import { withJournal } from "./journal.ts";

const text = (id: string, source: string): Cell => ({ type: "text", id, source });
const stored = (revision: number, ...cells: Cell[]) => ({
  id: "n",
  revision,
  updatedAt: 0,
  notebook: { title: "t", cells },
});
const sources = ({ cells }: Notebook): string[] =>
  cells.map((cell) => (cell.type === "text" ? cell.source : ""));

it("brings back text, title, order and deletions that were not saved", () => {
  const recovered = withJournal(stored(3, text("a", "a"), text("b", "b"), text("c", "c")), {
    revision: 3,
    order: ["c", "new", "a"],
    changed: { title: "T", model: "m", cells: [text("a", "A"), text("new", "n")] },
  });
  expect(recovered.title).toBe("T");
  expect(recovered.model).toBe("m");
  expect(sources(recovered)).toEqual(["c", "n", "A"]);
});

it("puts its cells beside those another tab saved since", () => {
  const recovered = withJournal(stored(4, text("a", "theirs"), text("b", "b")), {
    revision: 3,
    order: ["b", "a", "new"],
    changed: { title: "T", cells: [text("a", "mine"), text("b", "b"), text("new", "n")] },
  });
  expect(recovered.title).toBe("t");
  expect(sources(recovered)).toEqual(["theirs", "mine", "b", "n"]);
  expect(new Set(recovered.cells.map(({ id }) => id)).size).toBe(4);
});
