import { describe, expect, test } from "vitest";

import { argmax, largest, logSoftmax, logSumExp, topLogprobs } from "./logSoftmax.ts";

describe("logSumExp", () => {
  test("does not overflow or lose small terms", () => {
    expect(logSumExp(Float32Array.of(1e4, 1e4))).toBeCloseTo(1e4 + Math.LN2, 9);
    expect(logSumExp(Float32Array.of(-1e4, -1e4))).toBeCloseTo(-1e4 + Math.LN2, 9);
    // A million tokens of 2^-20 beside one of 1: float32 sums would drop them.
    const many = new Float32Array(2 ** 20 + 1).fill(-20 * Math.LN2);
    many[0] = 0;
    expect(logSumExp(many)).toBeCloseTo(Math.LN2, 6);
  });

  test("of nothing is -Infinity", () => {
    expect(logSumExp(Float32Array.of(-Infinity, -Infinity))).toBe(-Infinity);
  });
});

test("logSoftmax gives log-probabilities that sum to one, in float32", () => {
  const logits = Float32Array.of(3, -2, 0.5, -Infinity, 12);
  const out = new Float32Array(5);
  logSoftmax(logits, out);
  const sum = out.reduce((total, logprob) => total + Math.exp(logprob), 0);
  expect(sum).toBeCloseTo(1, 6);
  expect(out[4]! - out[0]!).toBeCloseTo(9, 5);
  expect(out[3]).toBe(-Infinity);
});

test("topLogprobs are sorted, equal ones by id", () => {
  const logits = Float32Array.of(1, 5, 3, 5, -Infinity);
  const total = logSumExp(logits);
  expect(topLogprobs(logits, 3, total).map(({ id }) => id)).toEqual([1, 3, 2]);
  expect(topLogprobs(logits, 9, total).map(({ id }) => id)).toEqual([1, 3, 2, 0]);
  expect(topLogprobs(logits, 1, total)[0]!.logprob).toBeCloseTo(5 - total, 12);
});

describe("largest", () => {
  test("goes over all rows with their offsets", () => {
    const rows = [Float32Array.of(1, 2, 3), Float32Array.of(10, 0, 2)];
    expect(largest(rows, [0, -8], 4)).toEqual([
      { row: 0, id: 2, score: 3 },
      { row: 0, id: 1, score: 2 },
      { row: 1, id: 0, score: 2 },
      { row: 0, id: 0, score: 1 },
    ]);
  });

  test("adds in float32", () => {
    const [best] = largest([Float32Array.of(0.1)], [Math.fround(0.2)], 1);
    expect(best!.score).toBe(Math.fround(Math.fround(0.1) + Math.fround(0.2)));
  });

  test("equals a full sort", () => {
    const values = Float32Array.from({ length: 3000 }, (_, i) => Math.fround(Math.sin(i * i) * 50));
    const sorted = [...values].toSorted((a, b) => b - a).slice(0, 40);
    expect(largest([values], [0], 40).map(({ score }) => score)).toEqual(sorted);
  });
});

test("argmax takes the first of equal values and none of NaN", () => {
  expect(argmax(Float32Array.of(1, 7, 7, 2))).toBe(1);
  expect(argmax(Float32Array.of(NaN, NaN))).toBe(-1);
  expect(argmax(Float32Array.of(-Infinity))).toBe(-1);
});
