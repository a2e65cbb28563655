import { describe, expect, test } from "vitest";

import { anyOf, endTokens, stopTexts, tokenSequences } from "./stopping.ts";

const begin = 0;
const encoder = new TextEncoder();

/** A tokenizer whose tokens are these byte strings; token 0 is the begin token. */
const vocabulary = ["<begin>", "a", "#", "##", "x#", "#y", "ab", "", "###z"].map((text) =>
  encoder.encode(text),
);
const [, euroStart, euroEnd] = [0, vocabulary.length, vocabulary.length + 1];
vocabulary.push(encoder.encode("€").slice(0, 2), encoder.encode("€").slice(2));
const bytesOf = (id: number) => vocabulary[id]!;

/** How many tokens of an answer are generated under a criterion. */
const lengthUnder = (isEnd: (tokens: readonly number[]) => boolean, answer: readonly number[]) => {
  const end = answer.findIndex((_, i) => isEnd([begin, ...answer.slice(0, i + 1)]));
  return end < 0 ? undefined : end + 1;
};

test("endTokens ends at any of them", () => {
  expect(lengthUnder(endTokens([5, 6]), [1, 2, 6, 5])).toBe(3);
  expect(lengthUnder(endTokens([]), [1, 2])).toBeUndefined();
});

test("tokenSequences ends at a whole sequence of the answer only", () => {
  expect(lengthUnder(tokenSequences([[2, 3], [4]]), [2, 2, 3, 4])).toBe(3);
  expect(lengthUnder(tokenSequences([[begin, 1]]), [1, 1])).toBeUndefined();
});

test("anyOf ends where one does", () => {
  expect(lengthUnder(anyOf([endTokens([9]), tokenSequences([[2, 3]])]), [2, 3, 9])).toBe(2);
  expect(lengthUnder(anyOf([]), [1])).toBeUndefined();
});

describe("stopTexts", () => {
  const stop = (...texts: string[]) => stopTexts(texts, bytesOf);

  test.each([
    { answer: [1, 2, 2, 2, 1], length: 4 },
    { answer: [4, 3, 1], length: 2 },
    { answer: [3, 5, 1], length: 2 },
    { answer: [8, 1], length: 1 },
    { answer: [2, 7, 2, 7, 7, 2, 1], length: 6 },
    { answer: [3, 1, 3, 1], length: undefined },
    { answer: [], length: undefined },
  ])("finds ### over token borders: $answer", ({ answer, length }) => {
    expect(lengthUnder(stop("###"), answer)).toBe(length);
  });

  test("finds a text in the middle of a token and of a character's bytes", () => {
    expect(lengthUnder(stop("€"), [1, euroStart, euroEnd])).toBe(3);
    expect(lengthUnder(stop("a€"), [6, 1, euroStart, euroEnd])).toBe(4);
    expect(lengthUnder(stop("##z"), [1, 8])).toBe(2);
  });

  test("takes the first of several texts to be complete", () => {
    expect(lengthUnder(stop("ab", "#"), [1, 6, 2])).toBe(2);
  });

  test("looks at the answer alone, and only at what is new", () => {
    expect(lengthUnder(stop("<begin>a"), [1])).toBeUndefined();
    // The text was there before the last token: whoever put it there meant it.
    expect(stop("##")([begin, 2, 2, 1])).toBe(false);
    expect(stop("##")([begin, 2, 2, 7])).toBe(false);
  });
});
