import type { Weight } from "../models/weights.ts";
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

/** target (out,in) += scale · b (out,rank) · a (rank,in), row by row so that every inner loop is contiguous. */
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
    for (let r = 0; r < rank; r++) {
      const factor = b[row * rank + r]! * scale;
      const start = r * width;
      for (let column = 0; column < width; column++) delta[column]! += factor * a[start + column]!;
    }
    const start = row * width;
    for (let column = 0; column < width; column++) target[start + column]! += delta[column]!;
  }
  return target;
}
