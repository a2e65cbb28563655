import type { Cell, Notebook } from "@tinygptv/notebook";
import { describe, expect, it } from "vitest";
import { mergeNotebooks } from "./merge.ts";

const text = (id: string, source: string): Cell => ({ type: "text", id, source });
const notebook = (...cells: Cell[]): Notebook => ({ title: "t", cells });
const sources = (merged: Notebook): string[] =>
  merged.cells.map((cell) => (cell.type === "text" ? cell.source : ""));

describe("mergeNotebooks", () => {
  const base = notebook(text("a", "a"), text("b", "b"));

  it("takes each side's change", () => {
    const merged = mergeNotebooks(
      base,
      notebook(text("a", "A"), text("b", "b")),
      notebook(text("a", "a"), text("b", "B")),
    );
    expect(sources(merged)).toEqual(["A", "B"]);
  });

  it("keeps both where both changed the same cell", () => {
    const merged = mergeNotebooks(
      base,
      notebook(text("a", "mine"), text("b", "b")),
      notebook(text("a", "theirs"), text("b", "b")),
    );
    expect(sources(merged)).toEqual(["mine", "theirs", "b"]);
    expect(new Set(merged.cells.map(({ id }) => id)).size).toBe(3);
  });

  it("adds cells of both sides at their places", () => {
    const merged = mergeNotebooks(
      base,
      notebook(text("x", "x"), text("a", "a"), text("b", "b")),
      notebook(text("a", "a"), text("y", "y"), text("b", "b")),
    );
    expect(sources(merged)).toEqual(["x", "a", "y", "b"]);
  });

  it("lets a deletion win over an untouched cell, not over a changed one", () => {
    expect(sources(mergeNotebooks(base, base, notebook(text("b", "b"))))).toEqual(["b"]);
    expect(sources(mergeNotebooks(base, notebook(text("a", "a")), base))).toEqual(["a"]);
    expect(
      sources(
        mergeNotebooks(base, notebook(text("a", "A"), text("b", "b")), notebook(text("b", "b"))),
      ),
    ).toEqual(["A", "b"]);
    expect(
      sources(
        mergeNotebooks(base, notebook(text("b", "b")), notebook(text("a", "A"), text("b", "b"))),
      ),
    ).toEqual(["A", "b"]);
  });
});
