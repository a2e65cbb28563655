import { expect, it } from "vitest";
import { vqaAccuracy } from "./vqaAccuracy.ts";

const ten = (...given: readonly [string, number][]) =>
  given.flatMap(([answer, count]) => Array<string>(count).fill(answer));

it.each([
  // Of the ten ways to leave one out: those who gave it leave one fewer.
  ["nobody", "red", ten(["blue", 10]), 0],
  ["one of ten", "red", ten(["red", 1], ["blue", 9]), (9 * (1 / 3)) / 10],
  ["two of ten", "red", ten(["red", 2], ["blue", 8]), (2 * (1 / 3) + 8 * (2 / 3)) / 10],
  ["three of ten", "red", ten(["red", 3], ["blue", 7]), (3 * (2 / 3) + 7) / 10],
  ["four of ten", "red", ten(["red", 4], ["blue", 6]), 1],
  ["capitals", "RED", ten(["Red", 10]), 1],
  ["articles, number words and punctuation", "The two dogs.", ten(["2 dogs", 5], ["dogs", 5]), 1],
  ["where all say the same nothing is taken away", "the dog", ten(["dog", 10]), 0],
  ["contractions without apostrophe", "dont", ten(["don't", 5], ["no", 5]), 1],
  ["a comma within a number", "1,000", ten(["1000", 5], ["many", 5]), 1],
  ["a mark between words becomes a space", "t-shirt", ten(["t shirt", 5], ["shirt", 5]), 1],
  ["a decimal point", "3.5", ten(["35", 5], ["3.5", 5]), 1],
  ["no answer", "", ten(["red", 10]), 0],
  ["no answer where one gave none", "", ten(["", 1], ["red", 9]), 0.3],
] as const)("%s", (_name, answer, answers, expected) => {
  expect(vqaAccuracy(answer, answers)).toBeCloseTo(expected, 12);
});
