/** What a shape rule is given, and how it looks at it. */
import type { DType } from "@tinygptv/model";
import { describeShape, type Dimension, type Shape } from "../dimension.ts";
import type { Attribute } from "../graph.ts";

/** What is known of a tensor before anything runs. */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
  /** Its elements, of a small integer tensor that is made of constants and dimensions. */
  readonly contents?: Shape | undefined;
}

/** One operator to be: inputs (undefined where left out), attributes, how many outputs are asked for. */
export interface Call {
  readonly inputs: readonly (TensorType | undefined)[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly outputs: number;
}

/** The types of an operator's outputs. Throws a `Problem` for inputs it cannot have. */
export type Rule = (call: Call) => readonly TensorType[];

/** What is wrong with a call; who makes it knows the place. */
export class Problem extends Error {}

/** `want [1,2], got [3]` as a `Problem`, unless it holds. */
export function require(holds: boolean, want: string, got: string): asserts holds {
  if (!holds) throw new Problem(`want ${want}, got ${got}`);
}

export function input(call: Call, index: number, what: string): TensorType {
  const found = call.inputs[index];
  if (!found) throw new Problem(`want ${what}, got none`);
  return found;
}

const floating: ReadonlySet<DType> = new Set(["float32", "float16", "bfloat16", "float64"]);

/** An input of floating point numbers, all of them of one type. */
export function floats(call: Call, index: number, what: string): TensorType {
  const found = input(call, index, what);
  require(floating.has(found.dtype), `${what} of a floating-point type`, found.dtype);
  const first = call.inputs.find((one) => one && floating.has(one.dtype))!;
  require(found.dtype === first.dtype, `${what} of ${first.dtype}`, found.dtype);
  return found;
}

export function requireShape(what: string, { shape }: TensorType, want: Shape): void {
  const fits = shape.length === want.length && shape.every((size, i) => size === want[i]);
  require(fits, `${what} ${describeShape(want)}`, describeShape(shape));
}

export function requireRank(what: string, { shape }: TensorType, ...ranks: number[]): void {
  require(ranks.includes(
    shape.length,
  ), `${what} of ${ranks.join(" or ")} dimensions`, describeShape(shape));
}

/** The elements of an input that says a shape or sizes. */
export function contents(call: Call, index: number, what: string): Shape {
  const found = input(call, index, what);
  if (found.contents) return found.contents;
  throw new Problem(`want ${what} made of constants and dimensions, got values known at run time`);
}

export function integer({ attributes }: Call, name: string, otherwise?: number): number {
  const value = attributes[name] ?? otherwise;
  require(Number.isSafeInteger(value), `an integer ${name}`, JSON.stringify(value) ?? "none");
  return value as number;
}

export function integers({ attributes }: Call, name: string): readonly number[] {
  const value = attributes[name];
  require(Array.isArray(value), `a list of integers ${name}`, JSON.stringify(value) ?? "none");
  return value as readonly number[];
}

/** An axis as an index from the front; -1 is the last. */
export function axisOf(axis: number, { shape }: TensorType): number {
  const index = axis < 0 ? axis + shape.length : axis;
  require(index >= 0 && index < shape.length, `an axis of ${describeShape(shape)}`, String(axis));
  return index;
}

/** The shape that tensors have when they are repeated along dimensions of 1 to fit each other. */
export function broadcast(shapes: readonly Shape[]): Dimension[] {
  const rank = Math.max(...shapes.map(({ length }) => length));
  return Array.from({ length: rank }, (_, i) => {
    const sizes = shapes.map((shape) => shape[i - rank + shape.length] ?? 1);
    const size = sizes.find((one) => one !== 1) ?? 1;
    require(sizes.every((one) => one === 1 || one === size), "shapes that repeat to one", shapes
      .map(describeShape)
      .join(" and "));
    return size;
  });
}
