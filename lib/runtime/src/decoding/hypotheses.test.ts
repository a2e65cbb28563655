import { describe, expect, test } from "vitest";

import { isSettled, keepBest, ranked } from "./hypotheses.ts";
import type { FinishedBeam } from "./hypotheses.ts";
import { resolveDecoding } from "@tinygptv/protocol";
import type { BeamDecoding } from "@tinygptv/protocol";

/** A hypothesis with a score and a token to tell it from others. */
const hypothesis = (score: number, id = 0): FinishedBeam => ({
  tokens: [{ id }],
  finishReason: "stop",
  score,
});
const namesOf = (kept: readonly FinishedBeam[]) => kept.map(({ tokens }) => tokens[0]!.id);

test("keepBest fills up, then replaces the worst, the earliest of equal ones", () => {
  const kept = [hypothesis(-3, 1), hypothesis(-1, 2), hypothesis(-3, 3)];
  expect(namesOf(keepBest(kept, hypothesis(-9, 4), 4))).toEqual([1, 2, 3, 4]);
  expect(namesOf(keepBest(kept, hypothesis(-2, 4), 3))).toEqual([2, 3, 4]);
  expect(namesOf(keepBest(kept, hypothesis(-3, 4), 3))).toEqual([1, 2, 3]);
});

test("ranked puts the best first, the latest of equal ones", () => {
  const kept = [hypothesis(-2, 1), hypothesis(-1, 2), hypothesis(-2, 3)];
  expect(namesOf(ranked(kept))).toEqual([2, 3, 1]);
});

describe("isSettled", () => {
  const decoding = (params: object) => resolveDecoding({ numBeams: 2, ...params }) as BeamDecoding;
  const full = [hypothesis(-1), hypothesis(-2)];

  test.each([
    // The best running sum is -6 at length 4 of at most 12.
    [{ earlyStopping: true }, true],
    [{ earlyStopping: false, lengthPenalty: 1 }, false], // -6 / 4 could still win
    [{ earlyStopping: false, lengthPenalty: 0 }, true], // -6 cannot
    [{ earlyStopping: false, lengthPenalty: -1 }, true], // -24 cannot
    [{ earlyStopping: "never", lengthPenalty: 0.6 }, false], // -6 / 12^0.6 could
    [{ earlyStopping: false, lengthPenalty: 0.6 }, true], // -6 / 4^0.6 cannot
    [{ earlyStopping: "never", lengthPenalty: -0.1 }, true],
  ])("%o: %s", (params, settled) => {
    expect(isSettled(full, -6, 4, 12, decoding(params))).toBe(settled);
  });

  test("a negative length penalty counts the current length, even with never", () => {
    // -1.9 / 1^-0.1 could beat -2; -1.9 / 12^-0.1 could not.
    const never = decoding({ earlyStopping: "never", lengthPenalty: -0.1 });
    expect(isSettled(full, -1.9, 1, 12, never)).toBe(false);
  });

  test("not before there are as many as beams", () => {
    expect(isSettled([hypothesis(-1)], -100, 4, 12, decoding({ earlyStopping: true }))).toBe(false);
  });

  test("an equal score is enough", () => {
    expect(isSettled(full, -8, 4, 12, decoding({}))).toBe(true);
  });
});
