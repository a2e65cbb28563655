/**
 * How gradients pass back through each operator, beside the shape rules. A table.
 * Only operators that every provider computes rightly are used: a product with a
 * transposed matrix is a Transpose and a MatMul, which ONNX Runtime joins where it
 * has a kernel for both, and what norms save of their statistics is computed again
 * (the inverse deviation that SimplifiedLayerNormalization gives on WebGPU is wrong in 1.30).
 */
import { Problem } from "../shapes/call.ts";
import type { Attribute } from "../graph.ts";
import type { Value } from "../value.ts";
import type { Backward, GradientRule, Operators } from "./backward.ts";

export const rules: ReadonlyMap<string, GradientRule> = new Map<string, GradientRule>([
  ["Add", (call) => both(call, () => gradientOf(call))],
  [
    "Cast",
    (call) => [call.to.op("Cast", [gradientOf(call)], { to: onnxFloats[inputOf(call).dtype]! })],
  ],
  ["Concat", concat],
  ["Expand", (call) => [call.to.gather(gradientOf(call), inputOf(call))]],
  ["FastGelu", fastGelu],
  ["Flatten", reshaped],
  ["FusedMatMul", matMul],
  ["Gather", gatherRows],
  ["GatherElements", gatherElements],
  ["Gelu", gelu],
  ["Identity", ({ gradients }) => gradients],
  ["LayerNormalization", layerNormalization],
  ["LogSoftmax", logSoftmax],
  ["MatMul", matMul],
  ["MatMulNBits", matMulNBits],
  ["Mul", (call) => both(call, (other) => call.to.multiply(gradientOf(call), other))],
  ["ReduceSum", reduceSum],
  ["Reshape", reshaped],
  ["RotaryEmbedding", rotaryEmbedding],
  ["SimplifiedLayerNormalization", simplifiedLayerNormalization],
  ["Softmax", softmax],
  ["Split", split],
  ["Squeeze", reshaped],
  ["Sub", subtraction],
  ["Transpose", transpose],
  ["Unsqueeze", reshaped],
]);

const gradientOf = ({ gradients: [gradient] }: Backward): Value => gradient!;
const inputOf = ({ inputs }: Backward, index = 0): Value => inputs[index]!;
const numberOf = (attribute: Attribute | undefined, otherwise: number): number =>
  typeof attribute === "object" && "float" in attribute
    ? attribute.float
    : ((attribute as number | undefined) ?? otherwise);

/** ONNX's numbers for them. */
const onnxFloats: Partial<Record<Value["dtype"], number>> = { float32: 1, float16: 10 };

/** Two inputs that are repeated to one shape. @param gradient of one, from the other */
function both(call: Backward, gradient: (other: Value) => Value): (Value | undefined)[] {
  return [0, 1].map((i) =>
    call.wants(i) ? call.to.gather(gradient(inputOf(call, 1 - i)), inputOf(call, i)) : undefined,
  );
}

function subtraction(call: Backward) {
  const [a, b] = both(call, () => gradientOf(call));
  return [a, b && call.to.op("Neg", [b])];
}

/** y = α·op(a)·op(b), either with its last two axes swapped or not. */
function matMul(call: Backward) {
  const { to, attributes } = call;
  const dy = to.scale(gradientOf(call), numberOf(attributes.alpha, 1));
  const [a, b] = [inputOf(call, 0), inputOf(call, 1)];
  const [isASwapped, isBSwapped] = [attributes.transA === 1, attributes.transB === 1];
  const left = isASwapped ? to.transpose(a) : a;
  const swapped = (x: Value, isSwapped: boolean) => (isSwapped ? to.transpose(x) : x);

  const ofA = () => to.op("MatMul", [dy, isBSwapped ? b : to.transpose(b)]);
  // One matrix for all of a's: a product over all rows at once instead of a sum of products.
  const ofB = () =>
    b.shape.length === 2
      ? to.op("MatMul", [to.transpose(to.rows(left)), to.rows(dy)])
      : to.op("MatMul", [isASwapped ? a : to.transpose(a), dy]);
  return [
    call.wants(0) ? to.gather(swapped(ofA(), isASwapped), a) : undefined,
    call.wants(1) ? to.gather(swapped(ofB(), isBSwapped), b) : undefined,
  ];
}

/** The weights are frozen; stored by output row, as their transpose is wanted here. */
function matMulNBits(call: Backward) {
  const { to, attributes } = call;
  const [, codes, scales, zeroPoints] = call.inputs;
  if (zeroPoints || [1, 2, 5].some(call.wants))
    throw new Problem("want frozen weights without zero points, got others");
  const [width, out] = [numberOf(attributes.K, 0), numberOf(attributes.N, 0)];
  const [bits, size] = [numberOf(attributes.bits, 4), numberOf(attributes.block_size, 0)];
  const blocks = Math.ceil(width / size);
  const whole = bits === 4 ? unpacked(to, codes!, [out, blocks, size]) : codes!;
  const perBlock = to.op("Reshape", [scales!, to.integers([out, blocks, 1])]);
  const middle = to.op("Cast", [to.number(2 ** (bits - 1))], { to: 2 });
  const zeros = to.op("Expand", [middle, to.integers([out, blocks, 1])]);
  const floats = to.op("DequantizeLinear", [whole, perBlock, zeros], { axis: 2, block_size: size });
  let weights = to.op("Reshape", [floats, to.integers([out, blocks * size])]);
  if (blocks * size !== width)
    [weights] = to.ops("Split", [weights, to.integers([width, blocks * size - width])], 2, {
      axis: 1,
    }) as [Value, Value];
  return [to.op("MatMul", [gradientOf(call), weights])];
}

/** Two codes of 4 bits in a byte, the lower first, as bytes of their own. */
function unpacked(to: Operators, codes: Value, shape: readonly number[]): Value {
  const byte = (value: number) => to.op("Cast", [to.number(value)], { to: 2 });
  const pairs = [
    to.op("BitwiseAnd", [codes, byte(15)]),
    to.op("BitShift", [codes, byte(4)], { direction: "RIGHT" }),
  ].map((half) => to.op("Unsqueeze", [half, to.integers([3])]));
  return to.op("Reshape", [to.op("Concat", pairs, { axis: 3 }), to.integers(shape)]);
}

/** y·(dy − Σ dy·y) */
function softmax(call: Backward) {
  const { to } = call;
  return [softmaxGradient(to, gradientOf(call), call.outputs[0]!)];
}

function softmaxGradient(to: Operators, dy: Value, y: Value): Value {
  return to.multiply(y, to.subtract(dy, to.sumLast(to.multiply(dy, y))));
}

/** dy − softmax·Σ dy */
function logSoftmax(call: Backward) {
  const { to } = call;
  const dy = gradientOf(call);
  const probabilities = to.op("Exp", [call.outputs[0]!]);
  return [to.subtract(dy, to.multiply(probabilities, to.sumLast(dy)))];
}

function layerNormalization(call: Backward) {
  const x = inputOf(call);
  const centred = call.to.subtract(x, call.to.meanLast(x));
  return normalization(call, centred, { isCentred: true });
}

function simplifiedLayerNormalization(call: Backward) {
  return normalization(call, inputOf(call), { isCentred: false });
}

/** Over the last axis. @param x what is divided by its deviation, the square root of its mean square */
function normalization(call: Backward, x: Value, { isCentred }: { isCentred: boolean }) {
  const { to, attributes } = call;
  const rank = x.shape.length;
  if (![-1, rank - 1].includes(numberOf(attributes.axis, -1)))
    throw new Problem("want a norm over the last axis, got another");
  const [dy, scale] = [gradientOf(call), inputOf(call, 1)];
  const variance = to.add(to.meanLast(to.square(x)), to.number(numberOf(attributes.epsilon, 1e-5)));
  const inverse = to.op("Reciprocal", [to.op("Sqrt", [variance])]);
  const normed = to.multiply(x, inverse);
  const ofX = () => {
    const ofNormed = to.multiply(dy, scale);
    const along = to.multiply(normed, to.meanLast(to.multiply(ofNormed, normed)));
    const across = to.subtract(ofNormed, along);
    const inner = isCentred ? to.subtract(across, to.meanLast(ofNormed)) : across;
    return to.multiply(inner, inverse);
  };
  return [
    call.wants(0) ? ofX() : undefined,
    call.wants(1) ? to.gather(to.multiply(dy, normed), scale) : undefined,
    call.wants(2) ? to.gather(dy, inputOf(call, 2)) : undefined,
  ];
}

/** y = x/2·(1 + t), t = tanh(k·(x + c·x³)) */
function fastGelu(call: Backward) {
  const { to } = call;
  const x = inputOf(call);
  const [k, c] = [Math.sqrt(2 / Math.PI), 0.044715];
  const squared = to.square(x);
  const inner = to.add(to.scale(squared, k * c), to.number(k));
  const t = to.op("Tanh", [to.multiply(x, inner)]);
  const half = to.scale(to.add(t, to.number(1)), 0.5);
  const slope = to.add(to.scale(squared, 1.5 * k * c), to.number(0.5 * k));
  const bend = to.subtract(to.number(1), to.square(t));
  const rest = to.multiply(to.multiply(x, bend), slope);
  return [to.multiply(gradientOf(call), to.add(half, rest))];
}

/** y = x·Φ(x), with Φ of the normal distribution. */
function gelu(call: Backward) {
  const { to } = call;
  const x = inputOf(call);
  const erf = to.op("Erf", [to.scale(x, Math.SQRT1_2)]);
  const below = to.scale(to.add(erf, to.number(1)), 0.5);
  const density = to.scale(
    to.op("Exp", [to.scale(to.square(x), -0.5)]),
    1 / Math.sqrt(2 * Math.PI),
  );
  return [to.multiply(gradientOf(call), to.add(below, to.multiply(x, density)))];
}

/** Turned back by the same angles. */
function rotaryEmbedding(call: Backward) {
  const { to, attributes } = call;
  const [, positions, cos, sin] = call.inputs as [Value, Value, Value, Value];
  const back = to.op("Neg", [sin]);
  return [to.op("RotaryEmbedding", [gradientOf(call), positions, cos, back], attributes)];
}

/** Reshape, Flatten, Squeeze, Unsqueeze: the elements stay what they are. */
function reshaped(call: Backward) {
  return [call.to.reshapeLike(gradientOf(call), inputOf(call))];
}

function transpose(call: Backward) {
  const order = call.attributes.perm as readonly number[];
  const perm = order.map((_, axis) => order.indexOf(axis));
  return [call.to.op("Transpose", [gradientOf(call)], { perm })];
}

function split(call: Backward) {
  const { to, attributes } = call;
  const parts = call.outputs.map((part, i) => call.gradients[i] ?? to.zerosLike(part));
  return [to.op("Concat", parts, { axis: numberOf(attributes.axis, 0) })];
}

function concat(call: Backward) {
  const { to, attributes } = call;
  const asked = numberOf(attributes.axis, 0);
  const axis = asked < 0 ? asked + inputOf(call).shape.length : asked;
  const parts = call.inputs.map((part) => to.op("Shape", [part!], { start: axis, end: axis + 1 }));
  const sizes = to.op("Concat", parts, { axis: 0 });
  return to.ops("Split", [gradientOf(call), sizes], parts.length, { axis });
}

/** Rows by a list of numbers, which may repeat. */
function gatherRows(call: Backward) {
  const { to, attributes } = call;
  const [x, at] = [inputOf(call), inputOf(call, 1)];
  if (numberOf(attributes.axis, 0) !== 0 || at.shape.length !== 1)
    throw new Problem("want rows of the first axis by a list, got others");
  const places = to.op("Unsqueeze", [at, to.integers([1])]);
  return [to.op("ScatterND", [to.zerosLike(x), places, gradientOf(call)], { reduction: "add" })];
}

/** One element of each row of the last axis. */
function gatherElements(call: Backward) {
  const { to, attributes } = call;
  const [x, at] = [inputOf(call), inputOf(call, 1)];
  const axis = x.shape.length - 1;
  if (![-1, axis].includes(numberOf(attributes.axis, 0)) || at.shape[axis] !== 1)
    throw new Problem("want one element of each row of the last axis, got others");
  return [to.op("ScatterElements", [to.zerosLike(x), at, gradientOf(call)], { axis })];
}

function reduceSum(call: Backward) {
  const { to, attributes } = call;
  const dy = gradientOf(call);
  const kept = attributes.keepdims === 0 ? to.op("Unsqueeze", [dy, inputOf(call, 1)]) : dy;
  return [to.op("Expand", [kept, to.shapeOf(inputOf(call))])];
}
