/** Parameters that are computed from stored ones, against plain implementations. */
import { describe, expect, it } from "vitest";
import { seeded } from "../../runtime/src/decoding/rng.ts";
import type { Weight } from "@tinygptv/network";
import { mergeLora } from "./lora.ts";
import { fromInterleaved, fromSeparate, toInterleaved } from "./phiAttention.ts";
import { resizePositionEmbedding } from "./positionEmbedding.ts";

function randomWeight(seed: number, shape: readonly number[]): Weight & { values: Float32Array } {
  const next = seeded(seed);
  const length = shape.reduce((count, size) => count * size, 1);
  const values = Float32Array.from({ length }, () => next() - 0.5);
  return { name: `w${seed}`, shape, values, load: async () => values };
}

describe("mergeLora", () => {
  it.each([1, 3, 4, 9])("adds alpha / rank · B·A of rank %d", async (rank) => {
    const [out, width, alpha] = [7, 5, 16];
    const base = randomWeight(1, [out, width]);
    const a = randomWeight(2, [rank, width]);
    const b = randomWeight(3, [out, rank]);
    const before = base.values.slice();
    const merged = await mergeLora(base, { a, b, alpha }).load();
    for (let row = 0; row < out; row++)
      for (let column = 0; column < width; column++) {
        let product = 0;
        for (let r = 0; r < rank; r++)
          product += b.values[row * rank + r]! * a.values[r * width + column]!;
        const want = before[row * width + column]! + (alpha / rank) * product;
        expect(merged[row * width + column]).toBeCloseTo(want, 5);
      }
    expect(base.values).toEqual(before);
  });

  it.each([
    [[3, 4], [7, 3], "w2: want [3,5], got [3,4]"],
    [[3, 5], [7, 2], "w3: want [7,3], got [7,2]"],
    [[0, 5], [7, 0], "w2: want [1,5], got [0,5]"],
  ])("refuses A %j with B %j", (aShape, bShape, message) => {
    const update = { a: randomWeight(2, aShape), b: randomWeight(3, bShape), alpha: 16 };
    expect(() => mergeLora(randomWeight(1, [7, 5]), update)).toThrow(`shape: ${message}`);
  });
});

describe("the query-key-value matrix", () => {
  const [heads, headDim, width] = [3, 2, 4];
  /** Row r of part j, as numbers that tell where they come from. */
  const row = (j: number, r: number) =>
    Array.from({ length: width }, (_, c) => 100 * j + 10 * r + c);
  const part = (j: number) =>
    Float32Array.from(Array.from({ length: heads * headDim }, (_, r) => row(j, r)).flat());
  const blocks = Float32Array.from([0, 1, 2].flatMap((j) => [...part(j)]));

  it("comes in blocks from heads that are one after the other", async () => {
    const interleaved: number[] = [];
    for (let h = 0; h < heads; h++)
      for (let j = 0; j < 3; j++)
        for (let i = 0; i < headDim; i++) interleaved.push(...row(j, h * headDim + i));
    const values = Float32Array.from(interleaved);
    const shape = [3 * heads * headDim, width];
    const weight = fromInterleaved({ name: "w", shape, load: async () => values }, heads);
    expect(await weight.load()).toEqual(blocks);
    expect(await toInterleaved(weight, heads).load()).toEqual(values);
  });

  it("comes in blocks from three matrices, and so do biases", async () => {
    const weights = [0, 1, 2].map((j) => ({
      name: `${j}`,
      shape: [heads * headDim, width],
      load: async () => part(j),
    }));
    const weight = fromSeparate("w", weights[0]!, weights[1]!, weights[2]!);
    expect(weight.shape).toEqual([3 * heads * headDim, width]);
    expect(await weight.load()).toEqual(blocks);
    const bias = (value: number) => ({
      name: "b",
      shape: [1],
      load: async () => Float32Array.of(value),
    });
    expect(await fromSeparate("b", bias(1), bias(2), bias(3)).load()).toEqual(
      Float32Array.of(1, 2, 3),
    );
  });
});

describe("resizePositionEmbedding", () => {
  it("leaves one of the right size as it is", () => {
    const weight = randomWeight(5, [1, 17, 3]);
    expect(resizePositionEmbedding(weight, 4)).toBe(weight);
  });

  it("keeps the class token and a flat field, and bends a slope as torch's kernel does", async () => {
    const [stored, grid] = [8, 16];
    const values = Float32Array.from({ length: (1 + stored ** 2) * 2 }, (_, i) => {
      const at = Math.floor(i / 2) - 1;
      if (at < 0) return 9;
      return i % 2 === 0 ? 5 : at % stored; // flat; rising from left to right
    });
    const weight = { name: "p", shape: [1, 1 + stored ** 2, 2], load: async () => values };
    const resized = resizePositionEmbedding(weight, grid);
    expect(resized.shape).toEqual([1, 1 + grid ** 2, 2]);
    const result = await resized.load();
    expect([...result.subarray(0, 2)]).toEqual([9, 9]);
    for (let i = 0; i < grid ** 2; i++) expect(result[2 * (1 + i)]).toBeCloseTo(5, 5);
    for (let y = 0; y < grid; y++)
      for (let x = 3; x < grid - 3; x++) {
        const at = 2 * (1 + y * grid + x);
        // A quarter past column k: factors -0.10546875, 0.87890625, 0.26171875, -0.03515625 for
        // k-1 to k+2, by hand from the kernel with -0.75. Nearer to the edges they see repeats.
        const slope = Math.floor((x - 1) / 2) + (x % 2 === 1 ? 0.296875 : 0.703125);
        expect(result[at + 1]).toBeCloseTo(slope, 5);
      }
  });
});
