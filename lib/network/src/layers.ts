/** Layers that several components share, as ONNX operators. Widths and precision are those of what goes in. */
import type { GraphBuilder, Shape, Value } from "@tinygptv/graph";
import { asInitializer, asMatMulInitializer, type Precision, type Weights } from "./weights.ts";

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
    parameter(g, weights, `${name}.bias`, [outWidth], precisionOf(x)),
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
  return g.op("MatMul", [x, g.initializer(asMatMulInitializer(weight, precisionOf(x)))]);
}

/** LayerNorm over the last axis. */
export function layerNorm(
  g: GraphBuilder,
  weights: Weights,
  x: Value,
  name: string,
  eps: number,
): Value {
  const scale = parameter(g, weights, `${name}.weight`, [widthOf(x)], precisionOf(x));
  const bias = parameter(g, weights, `${name}.bias`, [widthOf(x)], precisionOf(x));
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
  const scale = parameter(g, weights, `${name}.weight`, [widthOf(x)], precisionOf(x));
  return g.op("SimplifiedLayerNormalization", [x, scale], {
    attributes: { axis: -1, epsilon: { float: eps } },
  });
}

/** Softmax(q·kᵀ/√d)·v over all heads. q (N,S,D), k and v (N,T,D) -> (N,S,D) */
export type Attention = (g: GraphBuilder, q: Value, k: Value, v: Value, numHeads: number) => Value;

/** In one operator. */
export const fusedAttention: Attention = (g, q, k, v, numHeads) =>
  g.op("MultiHeadAttention", [q, k, v], { attributes: { num_heads: numHeads } });

/** Step by step: right on every device, where ONNX Runtime's WebGPU kernels for the one operator are not. */
export const explicitAttention: Attention = (g, q, k, v, numHeads) => {
  const d = widthOf(q) / numHeads;
  const ofHeads = (place: string, x: Value, perm: readonly number[]) => {
    const at = g.at(place);
    const [batch, rows] = x.shape;
    return transposeAxes(at, reshape(at, x, [batch!, rows!, numHeads, d]), perm);
  };
  const scale = g.constant("float32", [d ** -0.5]);
  const query = g.op("Mul", [ofHeads("heads/query", q, [0, 2, 1, 3]), scale], { label: "scale" });
  let scores = g.op("MatMul", [query, ofHeads("heads/key", k, [0, 2, 3, 1])], { label: "scores" });
  scores = g.op("Softmax", [scores], { attributes: { axis: -1 } });
  const value = ofHeads("heads/value", v, [0, 2, 1, 3]);
  const attended = g.op("MatMul", [scores, value], { label: "values" });
  return reshape(g, transposeAxes(g, attended, [0, 2, 1, 3]), q.shape, "joined");
};

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
  precision: Precision = "float32",
): Value {
  return g.initializer(asInitializer(weights(name, shape), precision));
}

/** The same numbers in another precision; itself where it has that already. */
export function inPrecision(g: GraphBuilder, x: Value, precision: Precision, label: string): Value {
  if (x.dtype === precision) return x;
  return g.op("Cast", [x], { attributes: { to: onnxTypes[precision] }, label });
}

/** ONNX's numbers for them. */
export const onnxTypes = { float32: 1, float16: 10 } satisfies Record<Precision, number>;

const precisionOf = (x: Value) => x.dtype as Precision;

/** Size of the last axis, which is never known only at run time. */
const widthOf = (x: Value) => x.shape.at(-1) as number;
