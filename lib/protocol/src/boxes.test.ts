import { readFile } from "node:fs/promises";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { formatBox, parseBoxes, toPercent } from "./boxes.ts";

const picture = { width: 200, height: 50, image: 0 };
const found = (answer: string) =>
  parseBoxes(answer, picture).map(({ phrase, percent }) => [phrase, ...percent]);

describe("parseBoxes", () => {
  it.each([
    ["one box without a phrase", "{<25><30><50><60>}", [["", 25, 30, 50, 60]]],
    ["a box in a sentence", "it is at {<1><2><3><4>}, I think", [["", 1, 2, 3, 4]]],
    ["no box", "a red car", []],
    ["too many numbers", "2 dogs at {<1><2><3><4>}", []],
    ["two boxes without phrases", "{<1><2><3><4>}<delim>{<5><6><7><8>}", []],
    [
      "a phrase",
      "<p>a tree</p> {<21><6><85><91>} on a green background",
      [["a tree", 21, 6, 85, 91]],
    ],
    [
      "several boxes of a phrase",
      "<p>two apples</p> {<1><2><3><4>}<delim>{<5><6><7><8>} on 3 plates",
      [
        ["two apples", 1, 2, 3, 4],
        ["two apples", 5, 6, 7, 8],
      ],
    ],
    [
      "several phrases",
      "<p>a dog</p> {<1><2><3><4>} and <p>a cat</p> {<5><6><7><8>}",
      [
        ["a dog", 1, 2, 3, 4],
        ["a cat", 5, 6, 7, 8],
      ],
    ],
    [
      "phrases side by side",
      "<p>a</p>{<1><2><3><4>}<p>b</p>{<5><6><7><8>}",
      [
        ["a", 1, 2, 3, 4],
        ["b", 5, 6, 7, 8],
      ],
    ],
    [
      "a phrase without a box",
      "<p>a dog</p> and <p>a cat</p> {<5><6><7><8>}",
      [["a cat", 5, 6, 7, 8]],
    ],
    [
      "a box of three numbers",
      "<p>a dog</p> {<1><2><3>}<delim>{<5><6><7><8>}",
      [["a dog", 5, 6, 7, 8]],
    ],
    [
      "an answer cut off in a box",
      "<p>a dog</p> {<1><2><3><4>} and <p>a cat</p> {<5><6>",
      [["a dog", 1, 2, 3, 4]],
    ],
    ["a phrase that never ends", "<p>a dog {<1><2><3><4>}", []],
    ["nothing", "", []],
  ])("reads %s", (_name, answer, expected) => {
    expect(found(answer)).toEqual(expected);
  });

  it("gives pixels of the original picture", () => {
    expect(parseBoxes("<p>x</p> {<25><30><50><60>}", { ...picture, image: 2 })).toEqual([
      { phrase: "x", percent: [25, 30, 50, 60], pixels: [50, 15, 100, 30], image: 2 },
    ]);
  });

  it("keeps numbers as written, and draws inside the picture", () => {
    expect(parseBoxes("{<150><-20><50><10>}", picture)).toEqual([
      { phrase: "", percent: [150, -20, 50, 10], pixels: [100, 0, 200, 5], image: 0 },
    ]);
    const [box] = parseBoxes(`{<${"9".repeat(400)}><0><0><0>}`, picture);
    expect(box!.percent[0]).toBe(Number.MAX_SAFE_INTEGER);
  });

  it("finds the boxes that the nano model's questions were made from", async () => {
    const path = new URL("../../../models/nano/eval/eval.jsonl", import.meta.url);
    const item = z.object({
      tag: z.string(),
      reference: z.string(),
      objects: z.array(z.object({ box: z.array(z.number()) })),
    });
    const items = (await readFile(path, "utf8"))
      .trim()
      .split("\n")
      .map((line) => item.parse(JSON.parse(line)));
    const boxed = items.filter(({ reference }) => reference.includes("{"));
    expect(boxed.length).toBeGreaterThan(100);
    for (const { reference, objects } of boxed) {
      const boxes = parseBoxes(reference, picture).map(({ percent }) => formatBox(percent));
      expect(boxes).toEqual(reference.match(/\{[^}]*\}/g));
      expect(objects.map(({ box }) => formatBox(box as [number, number, number, number]))).toEqual(
        expect.arrayContaining(boxes),
      );
    }
  });

  it("reads anything without throwing, in boxes that can be drawn", () => {
    const parts = fc.constantFrom(
      "<p>",
      "</p>",
      "{",
      "}",
      "<",
      ">",
      "<delim>",
      "1",
      "-7",
      "250",
      "99",
      " ",
      "x",
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 60 }), (answer) => {
        for (const { pixels } of parseBoxes(answer.join(""), picture)) {
          const [x1, y1, x2, y2] = pixels;
          expect(0 <= x1 && x1 <= x2 && x2 <= 200 && 0 <= y1 && y1 <= y2 && y2 <= 50).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it.each(["<p>", "</p>", "{", "}", "<p></p>{", "<delim>", "1", "-", "}<"])(
    "is through with many %s",
    (part) => {
      expect(parseBoxes(part.repeat(200_000), picture)).toEqual([]);
    },
  );
});

describe("toPercent", () => {
  it("cuts, it does not round", () => {
    expect(toPercent([1.99, 0.99, 199.9, 49.99], 200, 50)).toEqual([0, 1, 99, 99]);
    expect(formatBox(toPercent([0, 0, 200, 50], 200, 50))).toBe("{<0><0><100><100>}");
  });

  it("moves what lies outside to the border", () => {
    expect(toPercent([-5, 10, 300, 60], 200, 50)).toEqual([0, 20, 100, 100]);
  });
});
