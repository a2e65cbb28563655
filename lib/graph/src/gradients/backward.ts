/** What a gradient rule is given, and what rules are written with. */
import type { GraphBuilder } from "../builder.ts";
import { sameShape, type Shape } from "../dimension.ts";
import type { Attribute, Node } from "../graph.ts";
import type { Value } from "../value.ts";

/** One operator of a graph, seen from behind: the gradients of its outputs are known. */
export interface Backward extends Pick<Node, "attributes"> {
  /** Undefined for optional inputs that are left out. */
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
  /** Of each output; undefined for one that nothing depends on. */
  readonly gradients: readonly (Value | undefined)[];
  /** Whether the gradient of an input is wanted. */
  readonly wants: (input: number) => boolean;
  readonly to: Operators;
}

/** Gradients of an operator's inputs; undefined where none is wanted, or where there is none. */
export type GradientRule = (call: Backward) => readonly (Value | undefined)[];

/** Operators of the backward pass; those of one node are numbered. */
export class Operators {
  readonly #g: GraphBuilder;
  #count = 0;

  constructor(g: GraphBuilder) {
    this.#g = g;
  }

  op(
    name: string,
    inputs: readonly Value[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Value {
    return this.ops(name, inputs, 1, attributes)[0]!;
  }

  ops(
    name: string,
    inputs: readonly Value[],
    outputs: number,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Value[] {
    return this.#g.ops(name, inputs, outputs, { attributes, label: String(this.#count++) });
  }

  add = (a: Value, b: Value) => this.op("Add", [a, b]);
  subtract = (a: Value, b: Value) => this.op("Sub", [a, b]);
  multiply = (a: Value, b: Value) => this.op("Mul", [a, b]);
  scale = (x: Value, by: number) => (by === 1 ? x : this.multiply(x, this.number(by)));
  square = (x: Value) => this.multiply(x, x);

  number(value: number): Value {
    return this.#g.constant("float32", [value]);
  }

  integers(values: readonly number[]): Value {
    return this.#g.constant("int64", values);
  }

  shapeOf(x: Value): Value {
    return this.op("Shape", [x]);
  }

  /** The same elements in the shape of another value, of which nothing is read where its shape says enough. */
  reshapeLike(x: Value, like: Value): Value {
    if (sameShape(x.shape, like.shape)) return x;
    const sizes = like.shape.map((size) => (typeof size === "number" ? size : -1));
    const isKnown = sizes.filter((size) => size === -1).length <= 1;
    return this.op("Reshape", [x, isKnown ? this.integers(sizes) : this.shapeOf(like)]);
  }

  zerosLike(x: Value): Value {
    return this.op("ConstantOfShape", [this.shapeOf(x)]);
  }

  /** The last two axes change places. */
  transpose(x: Value): Value {
    const last = x.shape.length - 1;
    const perm = x.shape.map((_, axis) => (axis < last - 1 ? axis : 2 * last - 1 - axis));
    return this.op("Transpose", [x], { perm });
  }

  /** All axes but the last as one. */
  rows(x: Value): Value {
    return x.shape.length === 2 ? x : this.op("Flatten", [x], { axis: x.shape.length - 1 });
  }

  /** Over some axes, which stay with a length of 1. */
  sum(x: Value, axes: readonly number[]): Value {
    return this.op("ReduceSum", [x, this.integers(axes)], { keepdims: 1 });
  }

  /** Over the last axis, whose length is known. */
  sumLast(x: Value): Value {
    return this.sum(x, [x.shape.length - 1]);
  }

  meanLast(x: Value): Value {
    return this.scale(this.sumLast(x), 1 / Number(x.shape.at(-1)));
  }

  /** The gradient of a value that was repeated to a larger shape: summed over what repeated it. */
  gather(gradient: Value, repeated: Value): Value {
    const axes = repeatedAxes(repeated.shape, gradient.shape);
    if (axes.length === 0) return gradient;
    return this.reshapeLike(this.sum(gradient, axes), repeated);
  }
}

/** Axes of `large` that `small` does not have, or has with a length of 1. */
function repeatedAxes(small: Shape, large: Shape): number[] {
  const more = large.length - small.length;
  return large.flatMap((size, axis) =>
    axis < more || (small[axis - more] === 1 && size !== 1) ? [axis] : [],
  );
}
