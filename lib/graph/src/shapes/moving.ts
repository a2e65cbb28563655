/** Operators that move elements about, and those that compute shapes. */
import {
  describeShape,
  elements,
  product,
  quotient,
  sum,
  type Dimension,
  type Shape,
} from "../dimension.ts";
import {
  axisOf,
  broadcast,
  contents,
  input,
  integer,
  integers,
  Problem,
  require,
  requireRank,
  requireShape,
  type Rule,
  type TensorType,
} from "./call.ts";

const indices = (of: Shape): TensorType => ({ dtype: "int64", shape: [of.length], contents: of });

/** In the sizes asked for 0 keeps a dimension, and one -1 takes the rest. */
export const reshape: Rule = (call) => {
  const x = input(call, 0, "an input");
  const asked = contents(call, 1, "a shape");
  const sizes = asked.map((size, i) => (size === 0 ? x.shape[i] : size));
  const total = elements(x.shape);
  const known = sizes.filter((size) => size !== -1).reduce<Dimension>((a, b) => product(a, b!), 1);
  const rest = quotient(total, known);
  const shape = sizes.map((size) => (size === -1 ? rest : size));
  if (shape.includes(undefined) || elements(shape as Shape) !== total)
    throw new Problem(
      `want a shape of ${total} elements, got ${describeShape(asked)} for ${describeShape(x.shape)}`,
    );
  return [{ dtype: x.dtype, shape: shape as Shape }];
};

/** Two dimensions: those before an axis as one, and the others. */
export const flatten: Rule = (call) => {
  const { dtype, shape } = input(call, 0, "an input");
  const axis = integer(call, "axis", 1);
  require(axis >= 0 && axis <= shape.length, `an axis of ${describeShape(shape)}`, String(axis));
  return [{ dtype, shape: [elements(shape.slice(0, axis)), elements(shape.slice(axis))] }];
};

export const transpose: Rule = (call) => {
  const { dtype, shape } = input(call, 0, "an input");
  const order = integers(call, "perm");
  const isOrder = order.length === shape.length && shape.every((_, axis) => order.includes(axis));
  require(isOrder, `an order of ${shape.length} axes`, JSON.stringify(order));
  return [{ dtype, shape: order.map((axis) => shape[axis]!) }];
};

export const concat: Rule = (call) => {
  const tensors = call.inputs.map((_, i) => input(call, i, `input ${i}`));
  const [first, ...others] = tensors as [TensorType, ...TensorType[]];
  const axis = axisOf(integer(call, "axis"), first);
  for (const other of others) {
    require(other.dtype === first.dtype, `inputs of one type, ${first.dtype}`, other.dtype);
    const like = first.shape.map((size, i) => (i === axis ? (other.shape[i] ?? size) : size));
    requireShape("an input", other, like);
  }
  const length = others.reduce((all, { shape }) => sum(all, shape[axis]!), first.shape[axis]!);
  const parts = tensors.map((tensor) => tensor.contents);
  const isKnown = first.shape.length === 1 && parts.every((part) => part !== undefined);
  return [
    {
      dtype: first.dtype,
      shape: first.shape.with(axis, length),
      ...(isKnown ? { contents: parts.flat() as Shape } : {}),
    },
  ];
};

export const split: Rule = (call) => {
  const x = input(call, 0, "an input");
  const sizes = contents(call, 1, "sizes");
  const axis = axisOf(integer(call, "axis", 0), x);
  const total = sizes.reduce(sum, 0);
  require(sizes.length === call.outputs, `${call.outputs} sizes`, String(sizes.length));
  require(total === x.shape[axis], `sizes that sum to ${x.shape[axis]}`, String(total));
  return sizes.map((size) => ({ dtype: x.dtype, shape: x.shape.with(axis, size) }));
};

export const gather: Rule = (call) => {
  const [x, at] = [input(call, 0, "an input"), input(call, 1, "indices")];
  require(at.dtype === "int64" || at.dtype === "int32", "indices of int64 or int32", at.dtype);
  const axis = axisOf(integer(call, "axis", 0), x);
  const shape = [...x.shape.slice(0, axis), ...at.shape, ...x.shape.slice(axis + 1)];
  return [{ dtype: x.dtype, shape }];
};

/** Elements of x by their places along an axis. */
export const gatherElements: Rule = (call) => {
  const [x, at] = [input(call, 0, "an input"), input(call, 1, "indices")];
  require(at.dtype === "int64" || at.dtype === "int32", "indices of int64 or int32", at.dtype);
  const axis = axisOf(integer(call, "axis", 0), x);
  requireShape("indices", at, x.shape.with(axis, at.shape[axis] ?? 1));
  return [{ dtype: x.dtype, shape: at.shape }];
};

/** x with `updates` written where `indices` say along an axis; both have one shape. */
export const scatterElements: Rule = (call) => {
  const [x, at, updates] = ["an input", "indices", "updates"].map((what, i) =>
    input(call, i, what),
  ) as [TensorType, TensorType, TensorType];
  require(at.dtype === "int64" || at.dtype === "int32", "indices of int64 or int32", at.dtype);
  require(updates.dtype === x.dtype, `updates of ${x.dtype}`, updates.dtype);
  requireShape("indices", at, updates.shape);
  const axis = axisOf(integer(call, "axis", 0), x);
  requireShape("updates", updates, x.shape.with(axis, updates.shape[axis]!));
  return [{ dtype: x.dtype, shape: x.shape }];
};

/** x with rows of its first axis replaced, or added to: indices (M,1), updates (M,…). */
export const scatterRows: Rule = (call) => {
  const [x, at, updates] = ["an input", "indices", "updates"].map((what, i) =>
    input(call, i, what),
  ) as [TensorType, TensorType, TensorType];
  require(at.dtype === "int64", "indices of int64", at.dtype);
  requireShape("indices", at, [at.shape[0]!, 1]);
  require(updates.dtype === x.dtype, `updates of ${x.dtype}`, updates.dtype);
  requireShape("updates", updates, [at.shape[0]!, ...x.shape.slice(1)]);
  return [{ dtype: x.dtype, shape: x.shape }];
};

/** Zeros, float32. */
export const constantOfShape: Rule = (call) => [
  { dtype: "float32", shape: contents(call, 0, "a shape") },
];

export const expand: Rule = (call) => {
  const { dtype, shape } = input(call, 0, "an input");
  return [{ dtype, shape: broadcast([shape, contents(call, 1, "a shape")]) }];
};

/** The dimensions [start, end) of a tensor, as numbers. */
export const shapeOf: Rule = (call) => {
  const { shape } = input(call, 0, "an input");
  const [start, end] = [integer(call, "start", 0), integer(call, "end", shape.length)];
  return [indices(shape.slice(start, end))];
};

/** 0, 1, 2 and so on, up to a size. */
export const range: Rule = (call) => {
  const ends = ["a start", "an end", "a step"].map((what, i) => {
    requireRank(what, input(call, i, what), 0);
    return contents(call, i, what)[0]!;
  });
  const [start, end, step] = ends as [Dimension, Dimension, Dimension];
  require(start === 0 && step === 1, "a range from 0 in steps of 1", `${start}, step ${step}`);
  return [{ dtype: input(call, 0, "a start").dtype, shape: [end] }];
};

/** Drops dimensions of 1: all of them. */
export const squeeze: Rule = (call) => {
  const x = input(call, 0, "an input");
  return [{ ...x, shape: x.shape.filter((size) => size !== 1) }];
};

export const unsqueeze: Rule = (call) => {
  const x = input(call, 0, "an input");
  const axes = contents(call, 1, "axes");
  const shape = [...x.shape];
  for (const axis of axes.map(Number).toSorted((a, b) => a - b)) {
    require(axis >= 0 && axis <= shape.length, `axes of ${describeShape(x.shape)}`, String(axis));
    shape.splice(axis, 0, 1);
  }
  return [{ dtype: x.dtype, shape }];
};
