/** Layers that several components share, as ONNX operators. */
import type { GraphBuilder, Value } from "@tinygptv/graph";
import { asInitializer, asMatMulInitializer, type Weights } from "./weights.ts";

export const microsoft = "com.microsoft";

/** x·Wᵀ + b, with W [out,in] named `name.weight`. (…,in) -> (…,out) */
export function linear(
  g: GraphBuilder,
  weights: Weights,
  x: Value,
  name: string,
  inWidth: number,
  outWidth: number,
): Value {
  return g.op("Add", [
    matMul(g, weights, x, name, inWidth, outWidth),
    g.initializer(asInitializer(weights(`${name}.bias`, [outWidth]))),
  ]);
}

/** x·Wᵀ. (…,in) -> (…,out) */
export function matMul(
  g: GraphBuilder,
  weights: Weights,
  x: Value,
  name: string,
  inWidth: number,
  outWidth: number,
): Value {
  const weight = weights(`${name}.weight`, [outWidth, inWidth]);
  return g.op("MatMul", [x, g.initializer(asMatMulInitializer(weight))]);
}

/** LayerNorm over the last axis. */
export function layerNorm(
  g: GraphBuilder,
  weights: Weights,
  x: Value,
  name: string,
  width: number,
  eps: number,
): Value {
  const scale = g.initializer(asInitializer(weights(`${name}.weight`, [width])));
  const bias = g.initializer(asInitializer(weights(`${name}.bias`, [width])));
  return g.op("LayerNormalization", [x, scale, bias], {
    attributes: { axis: -1, epsilon: { float: eps } },
  });
}

/** x / sqrt(mean(x²) + eps) · weight over the last axis. */
export function rmsNorm(
  g: GraphBuilder,
  weights: Weights,
  x: Value,
  name: string,
  width: number,
  eps: number,
): Value {
  const scale = g.initializer(asInitializer(weights(`${name}.weight`, [width])));
  return g.op("SimplifiedLayerNormalization", [x, scale], {
    attributes: { axis: -1, epsilon: { float: eps } },
  });
}

/** Softmax(q·kᵀ/√d)·v over all heads. q (N,S,D), k and v (N,T,D) -> (N,S,D) */
export function attention(g: GraphBuilder, q: Value, k: Value, v: Value, numHeads: number): Value {
  return g.op("MultiHeadAttention", [q, k, v], {
    domain: microsoft,
    attributes: { num_heads: numHeads },
  });
}

/** Exact (erf) GELU. */
export function gelu(g: GraphBuilder, x: Value): Value {
  return g.op("Gelu", [x], { domain: microsoft });
}

/** GELU in its tanh form (`gelu_new`). */
export function geluTanh(g: GraphBuilder, x: Value): Value {
  return g.op("FastGelu", [x], { domain: microsoft });
}

export function add(g: GraphBuilder, a: Value, b: Value, label?: string): Value {
  return g.op("Add", [a, b], label ? { label } : {});
}

/** 0 keeps a dimension, -1 takes the rest. */
export function reshape(
  g: GraphBuilder,
  x: Value,
  shape: readonly number[],
  label?: string,
): Value {
  return g.op("Reshape", [x, g.constant("int64", shape)], label ? { label } : {});
}

export function transposeAxes(
  g: GraphBuilder,
  x: Value,
  perm: readonly number[],
  label?: string,
): Value {
  return g.op("Transpose", [x], { attributes: { perm }, ...(label ? { label } : {}) });
}

/** Repeats a (1,…) value along the first axis as often as `like` is long there. */
export function expandLike(g: GraphBuilder, x: Value, like: Value, tail: readonly number[]): Value {
  const batch = g.op("Shape", [like], { dtype: "int64", attributes: { start: 0, end: 1 } });
  const shape = g.op("Concat", [batch, g.constant("int64", tail)], {
    attributes: { axis: 0 },
    label: "shape",
  });
  return g.op("Expand", [x, shape]);
}
