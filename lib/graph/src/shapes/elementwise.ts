/** Operators that work on each element by itself, and sums over all of them. */
import { describeShape, type Shape } from "../dimension.ts";
import { dtypeOf } from "../dataTypes.ts";
import {
  axisOf,
  broadcast,
  contents,
  floats,
  input,
  integer,
  require,
  requireShape,
  type Call,
  type Rule,
  type TensorType,
} from "./call.ts";

/** All inputs, which must be of one type. */
function alike(call: Call): TensorType[] {
  const [first, ...others] = call.inputs.map((_, i) => input(call, i, `input ${i}`));
  for (const { dtype } of others)
    require(dtype === first!.dtype, `inputs of one type, ${first!.dtype}`, dtype);
  return [first!, ...others];
}

const shapesOf = (tensors: readonly TensorType[]) => tensors.map(({ shape }) => shape);

/** Add, Sub, Mul, Min: the inputs' own type. */
export const arithmetic: Rule = (call) => {
  const tensors = alike(call);
  return [{ dtype: tensors[0]!.dtype, shape: broadcast(shapesOf(tensors)) }];
};

/** BitwiseAnd, BitShift: bytes. */
export const bits: Rule = (call) => {
  for (const { dtype } of alike(call)) require(dtype === "uint8", "bytes, uint8", dtype);
  return arithmetic(call);
};

/** Less, Greater. */
export const comparison: Rule = (call) => [
  { dtype: "bool", shape: broadcast(shapesOf(alike(call))) },
];

/** (condition, x, y) */
export const where: Rule = (call) => {
  const condition = input(call, 0, "a condition");
  require(condition.dtype === "bool", "a condition of bool", condition.dtype);
  const [x, y] = alike({ ...call, inputs: call.inputs.slice(1) }) as [TensorType, TensorType];
  return [{ dtype: x.dtype, shape: broadcast(shapesOf([condition, x, y])) }];
};

export const identity: Rule = (call) => [input(call, 0, "an input")];

/** Gelu, Exp, Neg and the like: floats in, floats out. */
export const activation: Rule = (call) => {
  const { dtype, shape } = floats(call, 0, "an input");
  return [{ dtype, shape }];
};

export const softmax: Rule = (call) => {
  const x = floats(call, 0, "an input");
  axisOf(integer(call, "axis", -1), x);
  return [{ dtype: x.dtype, shape: x.shape }];
};

export const cast: Rule = (call) => [
  { dtype: dtypeOf(integer(call, "to")), shape: input(call, 0, "an input").shape },
];

/** LayerNormalization, SimplifiedLayerNormalization: x, scale and bias; also the mean and inverse deviation. */
export const normalization: Rule = (call) => {
  const x = floats(call, 0, "an input");
  const axis = axisOf(integer(call, "axis", -1), x);
  const normed = x.shape.slice(axis);
  const weights = ["scale", "bias"] as const;
  for (const [i, what] of weights.entries())
    if (i + 1 < call.inputs.length) requireShape(what, floats(call, i + 1, `a ${what}`), normed);
  const statistic = [...x.shape.slice(0, axis), ...normed.map(() => 1)];
  return Array.from({ length: call.outputs }, (_, i) => ({
    dtype: x.dtype,
    shape: i === 0 ? x.shape : statistic,
  }));
};

/** ReduceMin, ReduceMax, ReduceMean over all elements. */
export const reduction: Rule = (call) => {
  const { dtype, shape } = input(call, 0, "an input");
  const kept: Shape = shape.map(() => 1);
  return [{ dtype, shape: integer(call, "keepdims", 1) === 1 ? kept : [] }];
};

/** ReduceSum over given axes. */
export const reductionOf: Rule = (call) => {
  const { dtype, shape } = input(call, 0, "an input");
  const listed = contents(call, 1, "axes").map((axis) => axisOf(Number(axis), { dtype, shape }));
  if (integer(call, "keepdims", 1) === 0)
    return [{ dtype, shape: shape.filter((_, axis) => !listed.includes(axis)) }];
  return [{ dtype, shape: shape.map((size, axis) => (listed.includes(axis) ? 1 : size)) }];
};

/** x (B,heads,S,d) or (B,S,H), positions (B,S) or (1), tables (M,rotary/2). */
export const rotary: Rule = (call) => {
  const x = floats(call, 0, "an input");
  const positions = input(call, 1, "positions");
  const cos = floats(call, 2, "a table of cosines");
  const sin = floats(call, 3, "a table of sines");
  const [batch, sequence] = x.shape.length === 4 ? [x.shape[0]!, x.shape[2]!] : x.shape;
  require(x.shape.length === 3 || x.shape.length === 4, "(B,heads,S,d) or (B,S,H)", describeShape(
    x.shape,
  ));
  require(positions.dtype === "int64", "positions of int64", positions.dtype);
  requireShape("positions", positions, [batch!, sequence!]);
  requireShape("sines", sin, cos.shape);
  const half = integer(call, "rotary_embedding_dim") / 2;
  requireShape("cosines", cos, [cos.shape[0] ?? 1, half]);
  return [{ dtype: x.dtype, shape: x.shape }];
};
