import { describe, expect, it } from "vitest";
import { cellSchema, type CellOf } from "./cell.ts";
import { checkChange } from "./change.ts";

const evaluation = cellSchema.parse({ type: "evaluate", id: "a", name: "judged" });
const cell = evaluation as CellOf<"evaluate">;
const text: CellOf<"text"> = { type: "text", id: "b", source: "x" };

describe("a change of a cell", () => {
  it("is taken where the cell is one afterwards", () => {
    expect(() => checkChange(cell, { metric: "exact", auto: true })).not.toThrow();
    expect(() => checkChange(cell, { auto: undefined })).not.toThrow();
  });

  it("is refused by name where it is not, by types and at run time", () => {
    // @ts-expect-error no such field
    expect(() => checkChange(cell, { metrik: "exact" })).toThrow("judged: metrik: there is no");
    // @ts-expect-error a list
    expect(() => checkChange(cell, { items: 7 })).toThrow("judged: items: want a list");
    expect(() => checkChange(text, { source: undefined })).toThrow("text: source: want a text");
    // @ts-expect-error what a cell is does not change
    expect(() => checkChange(cell, { type: "text" })).toThrow("judged: ");
  });
});
