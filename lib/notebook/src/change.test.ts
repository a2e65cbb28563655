import { describe, expect, it } from "vitest";
import { cellSchema, type CellOf } from "./cell.ts";
import { asSound, checkChange } from "./change.ts";
import { mend } from "./fence.ts";

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

it("stored before changes were checked shows what it was, and can be mended", () => {
  expect(asSound(cell)).toBe(cell);
  const stored = { ...cell, metrik: "exact" } as typeof cell;
  const shown = asSound(stored) as CellOf<"faulty">;
  expect(shown).toMatchObject({ type: "faulty", id: "a" });
  expect(mend(shown, new Set()).mistakes).toMatchObject([
    { message: expect.stringContaining("did you mean metric?") },
  ]);
  const mended = { ...shown, source: shown.source.replace("metrik: exact\n", "") };
  expect(mend(mended, new Set()).cell ?? shown.source).toEqual(cell);
});
