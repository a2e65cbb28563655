import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { intersectionOverUnion, isCorrect } from "./metrics.ts";

it.each([
  [[0, 0, 10, 10], [0, 0, 10, 10], 1],
  [[0, 0, 10, 10], [5, 0, 15, 10], 1 / 3],
  [[0, 0, 10, 10], [10, 0, 20, 10], 0],
  [[3, 3, 3, 3], [3, 3, 3, 3], 0],
] as const)("%j and %j overlap by %d", (a, b, want) => {
  expect(intersectionOverUnion([...a], [...b])).toBeCloseTo(want, 10);
});

it.each([
  ["[refer] where is the cat?", "{<10><10><50><50>}", "{<12><10><50><52>}", true],
  ["[refer] where is the cat?", "{<60><60><90><90>}", "{<12><10><50><52>}", false],
  ["[refer] where is the cat?", "there is no cat", "there is no cat", true],
  ["[refer] where is the cat?", "{<60><60><90><90>}", "there is no cat", false],
  [
    "[detection] cat",
    "<p>cat</p> {<5><5><9><9>}<delim>{<50><50><90><90>}",
    "<p>cat</p> {<50><50><90><90>}<delim>{<5><5><9><9>}",
    true,
  ],
  [
    "[detection] cat",
    "<p>cat</p> {<5><5><9><9>}",
    "<p>cat</p> {<50><50><90><90>}<delim>{<5><5><9><9>}",
    false,
  ],
  ["[grounding] describe", "<p>a dog</p> {<5><5><9><9>}", "<p>a cat</p> {<5><5><9><9>}", false],
  ["[vqa] how many?", " two ", "two", true],
  ["What do you see?", "I see a cat.", "I see two cats.", false],
])("%s: %s for %s is %s", (prompt, answer, reference, want) => {
  expect(isCorrect(prompt, answer, reference)).toBe(want);
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
      isCorrect(prompt, greedy.text, reference) !== correct,
  );
  expect(different).toEqual([]);
});
