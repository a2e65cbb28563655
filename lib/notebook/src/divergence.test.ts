import { describe, expect, it } from "vitest";
import type { AnswerToken } from "@tinygptv/protocol";
import { agreement, firstDivergence, textDivergence } from "./divergence.ts";

/** A token with the probabilities of its alternatives, most probable first. */
const token = (id: number, probabilities: Record<number, number> = {}): AnswerToken => ({
  id,
  text: String(id),
  top: Object.entries(probabilities)
    .map(([other, p]) => ({ id: Number(other), text: other, logprob: Math.log(p) }))
    .toSorted((a, b) => b.logprob - a.logprob),
});

describe("where answers part", () => {
  it("is the first token that differs, or where one ends", () => {
    expect(firstDivergence([token(1), token(2)], [token(1), token(3)])).toBe(1);
    expect(firstDivergence([token(1)], [token(1), token(3)])).toBe(1);
    expect(firstDivergence([token(1)], [token(1)])).toBeUndefined();
  });

  it("is the start of a word of the text, unless nothing of it differs", () => {
    expect(textDivergence("a dog sits", "a dot sits")).toBe(2);
    expect(textDivergence("a dogs", "a dog")).toBe(2);
    expect(textDivergence("a dog", "a dog sits")).toBeUndefined();
    expect(textDivergence("a dog", "a dog")).toBeUndefined();
    expect(textDivergence("🐕 a", "🐈 a")).toBe(0);
  });
});

describe("agreement of levels", () => {
  it("is the exact KL where all probabilities are listed", () => {
    const a = [token(1, { 1: 0.75, 2: 0.25 })];
    const b = [token(2, { 1: 0.25, 2: 0.75 })];
    const { positions, top1, kl } = agreement(a, b)!;
    expect({ positions, top1 }).toEqual({ positions: 1, top1: 0 });
    expect(kl).toBeCloseTo(0.75 * Math.log(3) + 0.25 * Math.log(1 / 3), 6);
  });

  it("is a lower bound where some are not, and 0 for the same lists", () => {
    const full = 0.6 * Math.log(0.6 / 0.2) + 0.3 * Math.log(0.3 / 0.3) + 0.1 * Math.log(0.1 / 0.5);
    const cut = agreement([token(1, { 1: 0.6 })], [token(1, { 1: 0.2 })])!.kl;
    expect(cut).toBeGreaterThan(0);
    expect(cut).toBeLessThanOrEqual(full + 1e-9);
    expect(agreement([token(1, { 1: 0.6 })], [token(1, { 1: 0.6 })])!.kl).toBeCloseTo(0, 9);
  });

  it("looks no further than the first token that differs, and needs alternatives", () => {
    const same = { 1: 1 };
    expect(
      agreement([token(1, same), token(2, same)], [token(3, same), token(2, same)])?.positions,
    ).toBe(1);
    expect(agreement([token(1)], [token(1)])).toBeUndefined();
  });
});
