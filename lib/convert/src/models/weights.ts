import type { Initializer } from "@tinygptv/graph";
import { transpose } from "@tinygptv/model";

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
