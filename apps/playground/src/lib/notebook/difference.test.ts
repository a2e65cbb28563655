import type { Cell, Notebook } from "@tinygptv/notebook";
import { expect, it } from "vitest";
import { differenceInWords } from "./difference.ts";

const notebook = (sources: Record<string, string>): Notebook => ({
  title: "t",
  cells: Object.entries(sources).map(([id, source]): Cell => ({ type: "text", id, source })),
});

it.each([
  [{ a: "1", b: "2" }, { a: "1", b: "2" }, "the same cells"],
  [{ a: "1", b: "2" }, { b: "2", a: "1" }, "the same cells in another order"],
  [
    { a: "1", b: "2", c: "3" },
    { b: "x", c: "y", d: "4" },
    "2 cells changed since, 1 cell deleted since, 1 cell added since",
  ],
])("tells %j from %j", (earlier, later, words) => {
  expect(differenceInWords(notebook(earlier), notebook(later))).toBe(words);
});
