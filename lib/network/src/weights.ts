import type { Initializer } from "@tinygptv/graph";
import { toFloat16, transpose } from "@tinygptv/model";

/** A parameter of the model in float32, read when the graph is written. */
export interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
  /** Its numbers, row-major. */
  readonly load: () => Promise<Float32Array>;
}

/**
 * Looks up a parameter by our name (`phi.layers.0.attention.qkv.weight`).
 * Throws code "layout" where it is missing or its shape is not the one asked for.
 */
export type Weights = (name: string, shape: readonly number[]) => Weight;

/** In which precision a part of a graph computes. */
export type Precision = "float32" | "float16";

/** A parameter as it is. */
export function asInitializer({ name, shape, load }: Weight, dtype: Precision): Initializer {
  return { name, dtype, shape, load: async () => asBytes(await load(), dtype) };
}

/** The weight of a linear layer, [out,in] as PyTorch stores it, as ONNX's MatMul takes it: [in,out]. */
export function asMatMulInitializer({ name, shape, load }: Weight, dtype: Precision): Initializer {
  const [rows, columns] = shape as [number, number];
  return {
    name,
    dtype,
    shape: [columns, rows],
    load: async () => asBytes(transpose(await load(), rows, columns), dtype),
  };
}

/** The bytes of numbers, in the precision they are stored in. */
export function asBytes(values: Float32Array, dtype: Precision = "float32"): Uint8Array {
  const stored = dtype === "float16" ? toFloat16(values) : values;
  return new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
}
