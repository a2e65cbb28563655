import { describe, expect, test } from "vitest";

import {
  badWords,
  frequencyPenalty,
  logitBias,
  minLength,
  minNewTokens,
  noRepeatNgram,
  presencePenalty,
  repetitionPenalty,
} from "./logitsProcessors.ts";
import type { LogitsProcessor } from "./logitsProcessors.ts";

const vocabularySize = 8;
const begin = 7;

/** What a processor makes of logits 1 (token 0) to 8 (token 7) after the begin token and an answer. */
const after = (process: LogitsProcessor, answer: readonly number[]) => {
  const logits = Float32Array.from({ length: vocabularySize }, (_, id) => id + 1);
  process(logits, [begin, ...answer]);
  return [...logits];
};

const removed = (process: LogitsProcessor, answer: readonly number[]) =>
  after(process, answer).flatMap((logit, id) => (logit === -Infinity ? [id] : []));

describe("penalties", () => {
  test("repetitionPenalty hits a token once, the begin token from the start", () => {
    expect(after(repetitionPenalty(2), [])).toEqual([1, 2, 3, 4, 5, 6, 7, 4]);
    expect(after(repetitionPenalty(2), [3, 3, 3])).toEqual([1, 2, 3, 2, 5, 6, 7, 4]);
    const negative = Float32Array.of(-2, 2);
    repetitionPenalty(2)(negative, [0, 1]);
    expect([...negative]).toEqual([-4, 1]);
  });

  test("presencePenalty counts a token once, frequencyPenalty every time, neither the begin token", () => {
    expect(after(presencePenalty(0.5), [3, 3, 0])).toEqual([0.5, 2, 3, 3.5, 5, 6, 7, 8]);
    expect(after(frequencyPenalty(0.5), [3, 3, 0])).toEqual([0.5, 2, 3, 3, 5, 6, 7, 8]);
    expect(after(frequencyPenalty(-0.5), [])).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });
});

describe("noRepeatNgram", () => {
  test.each([
    { size: 1, answer: [3, 1], bans: [1, 3, begin] },
    { size: 2, answer: [3, 1, 4, 3], bans: [1] },
    { size: 2, answer: [3, 1, 3, 2, 3], bans: [1, 2] },
    { size: 2, answer: [3, 3], bans: [3] },
    { size: 3, answer: [3, 1, 4, 3, 1], bans: [4] },
    { size: 3, answer: [3, 1, 4, 3], bans: [] },
    { size: 3, answer: [5], bans: [] },
    { size: 2, answer: [5, begin], bans: [5] },
  ])("of size $size after $answer", ({ size, answer, bans }) => {
    expect(removed(noRepeatNgram(size), answer)).toEqual(bans);
  });
});

describe("bans", () => {
  test("minLength counts the begin token, minNewTokens does not", () => {
    expect(removed(minLength(3, [1, 2]), [5])).toEqual([1, 2]);
    expect(removed(minLength(3, [1, 2]), [5, 5])).toEqual([]);
    expect(removed(minNewTokens(3, [1]), [5, 5])).toEqual([1]);
    expect(removed(minNewTokens(3, [1]), [5, 5, 5])).toEqual([]);
  });

  test("badWords removes what would complete a word", () => {
    const process = badWords([[4], [1, 2, 3], [2, 5]]);
    expect(removed(process, [])).toEqual([4]);
    expect(removed(process, [1, 2])).toEqual([3, 4, 5]);
    expect(removed(process, [2, 2])).toEqual([4, 5]);
    expect(removed(badWords([[begin, 1]]), [])).toEqual([]);
  });

  test("logitBias adds to single tokens and refuses others", () => {
    expect(after(logitBias({ 0: 10, 7: -8 }, vocabularySize), [])).toEqual([
      11, 2, 3, 4, 5, 6, 7, 0,
    ]);
    expect(() => logitBias({ 8: 1 }, vocabularySize)).toThrow(
      "logitBias: want token ids below 8, got 8",
    );
  });
});
