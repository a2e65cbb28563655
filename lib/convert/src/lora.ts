import type { Weight } from "@tinygptv/network";
import { expectShape } from "./shape.ts";

/** A low-rank update of a weight: W' = W + scale · B·A, with scale = alpha / rank (LoRA, arXiv 2106.09685). */
export interface LoraUpdate {
  /** A (rank, in) and B (out, rank). */
  readonly a: Weight;
  readonly b: Weight;
  readonly alpha: number;
}

/** The weight with its update merged in; the reference adds the product at run time instead. */
export function mergeLora(base: Weight, { a, b, alpha }: LoraUpdate): Weight {
  const [out, width] = base.shape as [number, number];
  const rank = a.shape[0] ?? 0;
  expectShape(a, [Math.max(rank, 1), width]);
  expectShape(b, [out, rank]);
  return {
    ...base,
    load: async () => {
      const [values, aValues, bValues] = [await base.load(), await a.load(), await b.load()];
      return addProduct(Float32Array.from(values), bValues, aValues, alpha / rank, rank);
    },
  };
}

/**
 * target (out,in) += scale · b (out,rank) · a (rank,in). Every inner loop is
 * contiguous and takes four rows of a at once: the sums, not the products, are
 * what memory has to keep up with.
 */
function addProduct(
  target: Float32Array,
  b: Float32Array,
  a: Float32Array,
  scale: number,
  rank: number,
): Float32Array {
  const out = b.length / rank;
  const width = a.length / rank;
  const delta = new Float64Array(width);
  for (let row = 0; row < out; row++) {
    delta.fill(0);
    const factors = b.subarray(row * rank, (row + 1) * rank);
    let r = 0;
    for (; r + 4 <= rank; r += 4) {
      const [f0, f1, f2, f3] = [factors[r]!, factors[r + 1]!, factors[r + 2]!, factors[r + 3]!];
      const [a0, a1, a2, a3] = [r * width, (r + 1) * width, (r + 2) * width, (r + 3) * width];
      for (let i = 0; i < width; i++)
        delta[i]! += f0 * a[a0 + i]! + f1 * a[a1 + i]! + f2 * a[a2 + i]! + f3 * a[a3 + i]!;
    }
    for (; r < rank; r++)
      for (let i = 0; i < width; i++) delta[i]! += factors[r]! * a[r * width + i]!;
    const start = row * width;
    for (let column = 0; column < width; column++)
      target[start + column]! += scale * delta[column]!;
  }
  return target;
}
