import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { intersectionOverUnion, judge, metricOf, type Metric } from "./judge.ts";

it.each([
  [[0, 0, 10, 10], [0, 0, 10, 10], 1],
  [[0, 0, 10, 10], [5, 0, 15, 10], 1 / 3],
  [[0, 0, 10, 10], [10, 0, 20, 10], 0],
  [[3, 3, 3, 3], [3, 3, 3, 3], 0],
] as const)("%j and %j overlap by %d", (a, b, want) => {
  expect(intersectionOverUnion([...a], [...b])).toBeCloseTo(want, 10);
});

const cat = "<p>cat</p> {<5><5><9><9>}";
const cats = `${cat}<delim>{<50><50><90><90>}`;

describe.each<[Metric, [answer: string, expected: string, right: boolean][]]>([
  [
    "vqa",
    [
      ["Dog.", "dog", true],
      ["A dog!", "the dog", true],
      ["two", "2", true],
      ["None", "0", true],
      ["1,000", "1000", true],
      ["1.5", "15", false],
      ["3.", "3", true],
      ["it isn't", "it isnt", true],
      ["it isn’t", "it isn't", true],
      ["black-and-white", "black and white", true],
      ["black - white", "black, white", true],
      ["red/blue", "red blue", true],
      ["ＤＯＧ。", "dog", true],
      ["50%", "50", false],
      ["A", "B", false],
      ["A", "the", false],
      ["?", "!", false],
      ["", "dog", false],
      ["dogs", "dog", false],
      ["  a   dog\n", "dog", true],
    ],
  ],
  [
    "exact",
    [
      [" dog ", "dog", true],
      ["Dog", "dog", false],
      ["dog.", "dog", false],
    ],
  ],
  [
    "contains",
    [
      ["It is a DOG.", "dog", true],
      ["there are two", "2", true],
      ["there are 22", "two", false],
      ["a hot dog", "the hot-dog", true],
      ["a cat", "dog", false],
    ],
  ],
  [
    "iou",
    [
      ["{<10><10><50><50>}", "{<12><10><50><52>}", true],
      ["{<60><60><90><90>}", "{<12><10><50><52>}", false],
      ["{<0><0><10><10>}", "{<0><0><10><20>}", false], // half is not enough
      ["<p>the cat</p> {<10><10><50><50>}", "{<12><10><50><52>}", true],
      ["There is no cat.", "there is no cat", true],
      ["{<60><60><90><90>}", "there is no cat", false],
      [cats, "<p>cat</p> {<50><50><90><90>}<delim>{<5><5><9><9>}", true],
      [cats, "{<50><50><90><90>}, {<5><5><9><9>}", true],
      [cat, cats, false],
      [cats, cat, false],
      ["<p>a dog</p> {<5><5><9><9>}", "<p>a cat</p> {<5><5><9><9>}", false],
      ["<p>A cat</p> {<5><5><9><9>}", "<p>cat</p> {<5><5><9><9>}", true],
      [`${cat} ${cat}`, cats, false], // one box does not count for two
    ],
  ],
])("%s", (metric, cases) => {
  it.each(cases)("%j for %j is %s", (answer, expected, right) => {
    expect(judge(metric, answer, expected)).toBe(right);
  });
});

it("judges the reference's answers to the nano evaluation as its makers did", async () => {
  const path = new URL("../../../models/nano/eval/eval.jsonl", import.meta.url);
  const lines = (await readFile(fileURLToPath(path), "utf8")).trim().split("\n");
  const questions = lines.map(
    (line) =>
      JSON.parse(line) as {
        prompt: string;
        reference: string;
        greedy: { text: string };
        correct: boolean;
      },
  );
  expect(questions).toHaveLength(600);
  const different = questions.filter(
    ({ prompt, reference, greedy, correct }) =>
      judge(metricOf(prompt), greedy.text, reference) !== correct,
  );
  expect(different).toEqual([]);
});
