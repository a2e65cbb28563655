import { expect, it } from "vitest";
import { columnsOf, moved, onOneLine, stavesOf } from "./staves.ts";

it("shows what would break a line or not be seen", () => {
  expect([" dog", ".\n", "\n", " ", ""].map(onOneLine)).toEqual([" dog", ".↵", "↵", "␣", "∅"]);
  expect(["dog", "狗", "🐕"].map(columnsOf)).toEqual([3, 2, 2]);
});

const widths = [30, 30, 30, 90, 40, 20];
const staves = stavesOf(widths, 80);

it("fills lines, and gives what is too wide a line of its own", () => {
  expect(staves).toEqual([
    { start: 0, end: 2 },
    { start: 2, end: 3 },
    { start: 3, end: 4 },
    { start: 4, end: 6 },
  ]);
  expect(stavesOf([], 80)).toEqual([]);
});

it("moves along lines and between them, and stops at the ends", () => {
  const from = (index: number) => (key: string) => moved(key, index, staves, widths);
  expect(["ArrowLeft", "ArrowRight", "Home", "End", "a"].map(from(1))).toEqual([
    0,
    2,
    0,
    1,
    undefined,
  ]);
  expect(["ArrowUp", "ArrowDown"].map(from(1))).toEqual([undefined, 2]); // 30 px along: past the only token below
  expect(from(5)("ArrowUp")).toBe(3);
  expect(["ArrowRight", "ArrowDown"].map(from(5))).toEqual([undefined, undefined]);
});
