import type { Initializer } from "../graph/graph.ts";

/** A parameter of the model in float32, read when the graph is written. */
export interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly load: () => Promise<Float32Array>;
}

/**
 * Looks up a parameter by our name (`phi.layers.0.attention.qkv.weight`).
 * Throws code "layout" where it is missing or its shape is not the one asked for.
 */
export type Weights = (name: string, shape: readonly number[]) => Weight;

/** A parameter as it is. */
export function asInitializer({ name, shape, load }: Weight): Initializer {
  return { name, dtype: "float32", shape, load: async () => asBytes(await load()) };
}

/** The weight of a linear layer, [out,in] as PyTorch stores it, as ONNX's MatMul takes it: [in,out]. */
export function asMatMulInitializer({ name, shape, load }: Weight): Initializer {
  const [rows, columns] = shape as [number, number];
  return {
    name,
    dtype: "float32",
    shape: [columns, rows],
    load: async () => asBytes(transpose(await load(), rows, columns)),
  };
}

export function asBytes(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Row-major [rows,columns] -> [columns,rows], tile by tile so that both sides stay in the cache. */
export function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const tile = 32;
  const out = new Float32Array(values.length);
  for (let r0 = 0; r0 < rows; r0 += tile) {
    const r1 = Math.min(r0 + tile, rows);
    for (let c0 = 0; c0 < columns; c0 += tile) {
      const c1 = Math.min(c0 + tile, columns);
      for (let r = r0; r < r1; r++)
        for (let c = c0; c < c1; c++) out[c * rows + r] = values[r * columns + c]!;
    }
  }
  return out;
}
