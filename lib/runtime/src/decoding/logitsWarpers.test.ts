import { describe, expect, test } from "vitest";

import type { LogitsProcessor } from "./logitsProcessors.ts";
import { minP, temperature, topK, topP } from "./logitsWarpers.ts";
import { seeded } from "./rng.ts";

const kept = (process: LogitsProcessor, logits: Float32Array) => {
  const copy = logits.slice();
  process(copy, []);
  for (const [id, logit] of copy.entries()) {
    if (logit !== -Infinity && logit !== logits[id]) throw new Error(`token ${id} was changed`);
  }
  return [...copy.keys()].filter((id) => copy[id]! > -Infinity);
};

const ofProbabilities = (...probabilities: number[]) => Float32Array.from(probabilities, Math.log);

/** Logits as a model gives them: many, all different. */
const rng = seeded(11);
const many = Float32Array.from({ length: 51_200 }, () => 8 * (rng() + rng() + rng()) ** 2 - 20);
const descending = [...many.keys()].toSorted((a, b) => many[b]! - many[a]!);

test("temperature divides", () => {
  const logits = Float32Array.of(1, -2, 3);
  temperature(0.5)(logits, []);
  expect([...logits]).toEqual([2, -4, 6]);
});

describe("topK", () => {
  test.each([1, 2, 50, 5000, 51_199])("keeps the %i largest", (k) => {
    expect(kept(topK(k), many)).toEqual(descending.slice(0, k).toSorted((a, b) => a - b));
  });

  test("keeps all that equal the last one, and everything if k is large", () => {
    expect(kept(topK(2), Float32Array.of(1, 3, 2, 2, 0))).toEqual([1, 2, 3]);
    expect(kept(topK(5), Float32Array.of(1, 3, 2))).toEqual([0, 1, 2]);
    expect(kept(topK(2), Float32Array.of(-Infinity, 3, -Infinity))).toEqual([1]);
  });

  test("keeps nothing from one step to the next", () => {
    const process = topK(2);
    expect(kept(process, Float32Array.of(9, 8, 7))).toEqual([0, 1]);
    expect(kept(process, Float32Array.of(1, 2, 3))).toEqual([1, 2]);
  });
});

describe("topP", () => {
  test("keeps the smallest set that holds the mass", () => {
    const logits = ofProbabilities(0.1, 0.5, 0.15, 0.25);
    expect(kept(topP(0.001), logits)).toEqual([1]);
    expect(kept(topP(0.49), logits)).toEqual([1]);
    expect(kept(topP(0.51), logits)).toEqual([1, 3]);
    expect(kept(topP(0.76), logits)).toEqual([1, 2, 3]);
    expect(kept(topP(0.95), logits)).toEqual([0, 1, 2, 3]);
  });

  test("of equal tokens the higher ids stay", () => {
    expect(kept(topP(0.5), ofProbabilities(0.25, 0.25, 0.25, 0.25))).toEqual([2, 3]);
  });

  test.each([0.1, 0.5, 0.9, 0.999])("equals a full sort at %d", (p) => {
    const max = many[descending[0]!]!;
    const total = many.reduce((sum, logit) => sum + Math.exp(logit - max), 0);
    let mass = 0;
    const expected = descending.filter((id) => {
      const before = mass;
      mass += Math.exp(many[id]! - max);
      return before < p * total;
    });
    expect(kept(topP(p), many)).toEqual(expected.toSorted((a, b) => a - b));
  });

  test("works on what top-k left, and keeps nothing between steps", () => {
    const process = topP(0.6);
    expect(kept(process, Float32Array.of(-Infinity, 0, -Infinity, 0, 0))).toEqual([3, 4]);
    expect(kept(process, ofProbabilities(0.7, 0.2, 0.1))).toEqual([0]);
  });
});

test("minP compares with the most probable token", () => {
  const logits = ofProbabilities(0.1, 0.5, 0.15, 0.25);
  expect(kept(minP(0.29), logits)).toEqual([1, 2, 3]);
  expect(kept(minP(1), logits)).toEqual([1]);
});
