import { expect, test } from "vitest";

import { promptLookup } from "./promptLookup.ts";

const begin = 0;

test.each([
  { prompt: [5, 6, 7, 8, 9], answer: [5, 6], drafted: [7, 8, 9] },
  { prompt: [5, 6, 7, 8, 9], answer: [9, 5, 6], drafted: [7, 8, 9] },
  { prompt: [5, 6, 1, 5, 6, 2], answer: [5, 6], drafted: [2, 5, 6] },
  { prompt: [], answer: [1, 2, 3, 1, 2], drafted: [3, 1, 2] },
  { prompt: [4, 4], answer: [4], drafted: [4] },
  { prompt: [5, 6, 7], answer: [6, 5], drafted: [] },
  { prompt: [begin, 5, 7], answer: [5], drafted: [] },
  { prompt: [], answer: [], drafted: [] },
])("$answer after $prompt proposes $drafted", ({ prompt, answer, drafted }) => {
  const draft = promptLookup(prompt, { draftLength: 3 });
  expect(draft([begin, ...answer])).toEqual(drafted);
});
