import { checkNotebook } from "@tinygptv/notebook";
import { expect, it } from "vitest";
import { comparisonAlone, fromFragment, toFragment } from "./urlState.ts";

const notebook = checkNotebook({
  title: "t",
  cells: [
    { type: "text", id: "c1", source: "not in the link" },
    { type: "picture", id: "c2", name: "dog", file: "../models/nano/gallery/dog.png" },
    {
      type: "compare",
      id: "c3",
      name: "levels",
      pictures: ["dog"],
      rounds: ["é?"],
      columns: [{ label: "a", model: "nano:int8" }],
    },
  ],
});

it("takes a comparison and its pictures through an address", () => {
  const cell = notebook.cells[2];
  if (cell?.type !== "compare") throw new Error("want the comparison");
  const fragment = toFragment(comparisonAlone(notebook, cell));
  expect(fragment).toMatch(/^[\w-]+$/);
  const { title, cells } = fromFragment(fragment).notebook;
  expect(title).toBe("Comparison: levels");
  expect(cells).toMatchObject([
    { name: "dog" },
    { name: "levels", rounds: ["é?"], columns: [{ model: "nano:int8" }] },
  ]);
});

it("says so when the address was cut", () => {
  expect(() => fromFragment(toFragment(notebook).slice(0, 40))).toThrow(
    "link: it was cut or changed",
  );
  expect(() => fromFragment("A".repeat(9000))).toThrow(
    "link: want at most 8000 characters, got 9000",
  );
});
