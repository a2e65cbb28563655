/**
 * The query-key-value matrix of a Phi layer in one order: all of q, all of k,
 * all of v (3·H rows), whichever of the three public layouts it is stored in.
 * Taking one layout for another loads without complaint and talks gibberish.
 */
import type { Weight } from "@tinygptv/network";
import { concatRows } from "./rows.ts";

/**
 * q, k and v of one head after the other -> blocks: row (3h+j)·d+i is row h·d+i of q, k, v for j = 0, 1, 2.
 * Works on rows of any width: matrices, biases, and LoRA's B.
 */
export function fromInterleaved(weight: Weight, numHeads: number): Weight {
  return permuteRows(weight, (row, rows) => {
    const headDim = rows / 3 / numHeads;
    const j = Math.floor(row / (rows / 3));
    const h = Math.floor((row % (rows / 3)) / headDim);
    return (3 * h + j) * headDim + (row % headDim);
  });
}

/** The way back, as published files have it: row (3h+j)·d+i is row h·d+i of q, k, v for j = 0, 1, 2. */
export function toInterleaved(weight: Weight, numHeads: number): Weight {
  return permuteRows(weight, (row, rows) => {
    const headDim = rows / 3 / numHeads;
    const j = Math.floor(row / headDim) % 3;
    const h = Math.floor(row / (3 * headDim));
    return j * (rows / 3) + h * headDim + (row % headDim);
  });
}

/** Three matrices (or biases) -> one above the other. */
export function fromSeparate(name: string, query: Weight, key: Weight, value: Weight): Weight {
  return concatRows(name, [query, key, value]);
}

/** Row `r` of the result is row `from(r)` of the weight. */
function permuteRows(weight: Weight, from: (row: number, rows: number) => number): Weight {
  const rows = weight.shape[0]!;
  return {
    ...weight,
    load: async () => {
      const values = await weight.load();
      const width = values.length / rows;
      const out = new Float32Array(values.length);
      for (let row = 0; row < rows; row++) {
        const start = from(row, rows) * width;
        out.set(values.subarray(start, start + width), row * width);
      }
      return out;
    },
  };
}
