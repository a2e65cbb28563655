/** Layers that several components share, as ONNX operators. Widths are those of what goes in. */
import type { GraphBuilder, Shape, Value } from "@tinygptv/graph";
import { asInitializer, asMatMulInitializer, type Weights } from "./weights.ts";

/** x·Wᵀ + b, with W [out,in] named `name.weight`. (…,in) -> (…,out) */
export function linear(
  g: GraphBuilder,
  weights: Weights,
  x: Value,
  name: string,
  outWidth: number,
): Value {
  return g.op("Add", [
    matMul(g, weights, x, name, outWidth),
    parameter(g, weights, `${name}.bias`, [outWidth]),
  ]);
}

/** x·Wᵀ. (…,in) -> (…,out) */
export function matMul(
  g: GraphBuilder,
  weights: Weights,
  x: Value,
  name: string,
  outWidth: number,
): Value {
  const weight = weights(`${name}.weight`, [outWidth, widthOf(x)]);
  return g.op("MatMul", [x, g.initializer(asMatMulInitializer(weight))]);
}

/** LayerNorm over the last axis. */
export function layerNorm(
  g: GraphBuilder,
  weights: Weights,
  x: Value,
  name: string,
  eps: number,
): Value {
  const scale = parameter(g, weights, `${name}.weight`, [widthOf(x)]);
  const bias = parameter(g, weights, `${name}.bias`, [widthOf(x)]);
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
  eps: number,
): Value {
  const scale = parameter(g, weights, `${name}.weight`, [widthOf(x)]);
  return g.op("SimplifiedLayerNormalization", [x, scale], {
    attributes: { axis: -1, epsilon: { float: eps } },
  });
}

/** Softmax(q·kᵀ/√d)·v over all heads. q (N,S,D), k and v (N,T,D) -> (N,S,D) */
export function attention(g: GraphBuilder, q: Value, k: Value, v: Value, numHeads: number): Value {
  return g.op("MultiHeadAttention", [q, k, v], { attributes: { num_heads: numHeads } });
}

/** Exact (erf) GELU. */
export function gelu(g: GraphBuilder, x: Value): Value {
  return g.op("Gelu", [x]);
}

/** GELU in its tanh form (`gelu_new`). */
export function geluTanh(g: GraphBuilder, x: Value): Value {
  return g.op("FastGelu", [x]);
}

export function add(g: GraphBuilder, a: Value, b: Value, label?: string): Value {
  return g.op("Add", [a, b], label ? { label } : {});
}

/** The same elements in another shape; at most one dimension that x does not have in that place may be a name. */
export function reshape(g: GraphBuilder, x: Value, shape: Shape, label?: string): Value {
  // For ONNX 0 keeps a dimension, -1 takes the rest.
  const sizes = shape.map((size, i) =>
    typeof size === "number" ? size : size === x.shape[i] ? 0 : -1,
  );
  return g.op("Reshape", [x, g.constant("int64", sizes)], label ? { label } : {}).is(...shape);
}

export function transposeAxes(g: GraphBuilder, x: Value, perm: readonly number[]): Value {
  return g.op("Transpose", [x], { attributes: { perm } });
}

/** Three equal parts of the last axis: queries, keys and values of one matrix. */
export function splitInThree(g: GraphBuilder, x: Value): [Value, Value, Value] {
  const third = widthOf(x) / 3;
  const sizes = g.constant("int64", [third, third, third]);
  return g.ops("Split", [x, sizes], 3, { attributes: { axis: -1 } }) as [Value, Value, Value];
}

/** Repeats a (1,…) value along the first axis as often as `like` is long there. */
export function expandLike(g: GraphBuilder, x: Value, like: Value): Value {
  const batch = g.op("Shape", [like], { attributes: { start: 0, end: 1 } });
  const tail = g.constant("int64", x.shape.slice(1).map(Number));
  const shape = g.op("Concat", [batch, tail], { attributes: { axis: 0 }, label: "shape" });
  return g.op("Expand", [x, shape]);
}

/** A parameter as it is. */
export function parameter(
  g: GraphBuilder,
  weights: Weights,
  name: string,
  shape: readonly number[],
): Value {
  return g.initializer(asInitializer(weights(name, shape)));
}

/** Size of the last axis, which is never known only at run time. */
const widthOf = (x: Value) => x.shape.at(-1) as number;
