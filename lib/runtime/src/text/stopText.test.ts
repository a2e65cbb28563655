import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createStopScanner } from "./stopText.ts";

function scan(stops: readonly string[], pieces: readonly string[]) {
  const scanner = createStopScanner(stops);
  const shown = pieces.map((piece) => scanner.push(piece));
  const rest = scanner.flush();
  return { shown, text: shown.map(({ text }) => text).join("") + rest };
}

/** The definition: at the first place where a stop text ends, the longest that ends there is cut off. */
function cutBeforeStop(text: string, stops: readonly string[]): string {
  for (let end = 1; end <= text.length; end++) {
    const lengths = stops
      .filter((stop) => text.slice(0, end).endsWith(stop))
      .map(({ length }) => length);
    if (lengths.length > 0) return text.slice(0, end - Math.max(...lengths));
  }
  return text;
}

const few = fc.string({ unit: fc.constantFrom("#", "a", "b"), minLength: 1, maxLength: 5 });
const manyStops = fc.array(few, { maxLength: 4 });
const manyPieces = fc.array(fc.string({ unit: fc.constantFrom("#", "a", "b"), maxLength: 4 }), {
  maxLength: 20,
});

describe("createStopScanner", () => {
  it("ends the text right before the first stop text, wherever pieces begin and end", () => {
    fc.assert(
      fc.property(manyStops, manyPieces, (stops, pieces) => {
        expect(scan(stops, pieces).text).toBe(cutBeforeStop(pieces.join(""), stops));
      }),
      { numRuns: 1000 },
    );
  });

  it("holds back only what may still become a stop text", () => {
    fc.assert(
      fc.property(manyStops, manyPieces, (stops, pieces) => {
        const { shown } = scan(stops, pieces);
        if (shown.some(({ stopped }) => stopped)) return;
        const all = pieces.join("");
        const held = all.slice(shown.map(({ text }) => text).join("").length);
        expect(held === "" || stops.some((stop) => stop.startsWith(held))).toBe(true);
      }),
    );
  });

  it("shows nothing of a stop text in pieces", () => {
    expect(scan(["###"], ["a #", "#", "b##", "#c", "d"])).toEqual({
      shown: [
        { text: "a ", stopped: false },
        { text: "", stopped: false },
        { text: "##b", stopped: false },
        { text: "", stopped: true },
        { text: "", stopped: true },
      ],
      text: "a ##b",
    });
  });

  it("gives held text back at the end", () => {
    expect(scan(["###"], ["a##"])).toEqual({ shown: [{ text: "a", stopped: false }], text: "a##" });
  });

  it("shows everything when there is nothing to stop at", () => {
    expect(scan([], ["a", "#"]).shown.map(({ text }) => text)).toEqual(["a", "#"]);
  });

  it("is through with a text made to be slow", () => {
    const nearly = "a".repeat(255);
    expect(scan([`${nearly}b`, `${nearly}c`], Array(2000).fill(nearly)).text).toHaveLength(510_000);
  });
});
