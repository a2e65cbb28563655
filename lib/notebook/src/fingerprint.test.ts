import { describe, expect, it } from "vitest";
import type { AskingCell, Cell } from "./cell.ts";
import { freshness } from "./fingerprint.ts";
import type { Output } from "./output.ts";
import { withRenamed } from "./references.ts";
import { runCell } from "./run.ts";
import { runNotebook } from "./runNotebook.ts";
import { context, make, picture } from "./testing/capitals.ts";

describe("withRenamed", () => {
  it("turns every use of a name into another, and leaves the rest", () => {
    const { cells } = make(
      {
        type: "prompt",
        id: "a",
        pictures: ["dog", "cat"],
        rounds: ["{{dog}} {{ dog.box }} {{dogs}} dog", "{{cat}}"],
      },
      {
        type: "evaluate",
        id: "b",
        items: [{ pictures: ["dog"], prompt: "{{dog.2}}", answer: "dog" }],
      },
      { type: "chart", id: "c", source: "dog" },
      { type: "text", id: "d", source: "{{dog}}" },
    );
    expect(cells.map((cell) => withRenamed(cell, "dog", "hund"))).toMatchObject([
      { pictures: ["hund", "cat"], rounds: ["{{hund}} {{hund.box}} {{dogs}} dog", "{{cat}}"] },
      { items: [{ pictures: ["hund"], prompt: "{{hund.2}}", answer: "dog" }] },
      { source: "hund" },
      { source: "{{dog}}" },
    ]);
  });
});

describe("freshness", () => {
  const notebook = make(
    picture,
    { type: "prompt", id: "a", name: "a", pictures: ["dog"], rounds: ["x"] },
    { type: "prompt", id: "b", rounds: ["{{a}}"] },
  );

  /** Whether the second prompt's output is still fresh after a change. */
  async function after(change: (cells: Cell[]) => void): Promise<string> {
    const outputs = await runNotebook(context(notebook));
    const changed = structuredClone(notebook);
    change(changed.cells);
    const cell = changed.cells[1] as AskingCell;
    return freshness(changed, cell, outputs.get(cell.id), (other) => outputs.get(other.id));
  }

  it("is lost with the question, the picture and the settings, and with nothing else", async () => {
    expect(await after(() => {})).toBe("fresh");
    expect(await after((cells) => Object.assign(cells[1]!, { rounds: ["y"] }))).toBe("stale");
    expect(await after((cells) => Object.assign(cells[0]!, { file: "cat.png" }))).toBe("stale");
    expect(await after((cells) => Object.assign(cells[1]!, { decoding: { seed: 1 } }))).toBe(
      "stale",
    );
    expect(await after((cells) => Object.assign(cells[1]!, { name: "c", auto: true }))).toBe(
      "fresh",
    );
    expect(await after((cells) => void cells.push({ type: "text", id: "t", source: "" }))).toBe(
      "fresh",
    );
  });

  it("is kept when the cells it uses get other names", async () => {
    expect(
      await after((cells) => {
        Object.assign(cells[0]!, { name: "hund" });
        cells.splice(0, cells.length, ...cells.map((cell) => withRenamed(cell, "dog", "hund")));
      }),
    ).toBe("fresh");
    expect(await after((cells) => Object.assign(cells[0]!, { name: "hund" }))).toBe("stale");
  });

  it("follows what an upstream cell answered, not that it ran", async () => {
    const outputs = await runNotebook(context(notebook));
    const outputOf = (cell: Cell): Output | undefined => outputs.get(cell.id);
    const last = notebook.cells[2]!;
    outputs.set(
      "a",
      await runCell(
        notebook.cells[1] as AskingCell,
        { ...context(notebook), outputOf, now: () => "later" },
        () => {},
      ),
    );
    expect(freshness(notebook, last, outputs.get("b"), outputOf)).toBe("fresh");
    outputs.get("a")!.runs[0]!.answers[0]!.text = "other";
    expect(freshness(notebook, last, outputs.get("b"), outputOf)).toBe("stale");
  });
});
