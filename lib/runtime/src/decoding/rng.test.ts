import { describe, expect, test } from "vitest";

import { seeded, xoshiro128 } from "./rng.ts";

const mask = 0xffffffffn;
const rotate = (x: bigint, bits: bigint) => ((x << bits) | (x >> (32n - bits))) & mask;

/** xoshiro128** once more, straight from its definition and without 32-bit tricks. */
const reference = ([a, b, c, d]: bigint[]) => {
  let s = [a!, b!, c!, d!];
  return () => {
    const result = (rotate((s[1]! * 5n) & mask, 7n) * 9n) & mask;
    const t = (s[1]! << 9n) & mask;
    s = [s[0]!, s[1]!, s[2]! ^ s[0]!, s[3]! ^ s[1]!];
    s = [s[0]! ^ s[3]!, s[1]! ^ s[2]!, s[2]! ^ t, rotate(s[3]!, 11n)];
    return Number(result);
  };
};

describe("rng", () => {
  test("xoshiro128** equals its definition", () => {
    const next = xoshiro128([1, 2, 3, 4]);
    const expected = reference([1n, 2n, 3n, 4n]);
    expect(next()).toBe(11520);
    expected();
    for (let i = 0; i < 1000; i++) expect(next()).toBe(expected());
  });

  test("the state is filled by SplitMix64", () => {
    // First outputs of SplitMix64 for 1234567, as published with the algorithm's test vectors.
    const words = [6457827717110365317n, 3203168211198807973n].flatMap((output) => [
      output & mask,
      output >> 32n,
    ]);
    const expected = reference(words);
    const rng = seeded(1234567);
    for (let i = 0; i < 10; i++) {
      const [high, low] = [expected() >>> 5, expected() >>> 6];
      expect(rng()).toBe((high * 2 ** 26 + low) / 2 ** 53);
    }
  });

  test("numbers are uniform in [0, 1) and differ between seeds", () => {
    const rng = seeded(Number.MAX_SAFE_INTEGER);
    const numbers = Array.from({ length: 10_000 }, rng);
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...numbers)).toBeLessThan(1);
    const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
    expect(mean).toBeCloseTo(0.5, 1.7);
    expect(seeded(0)()).not.toBe(seeded(1)());
  });
});
