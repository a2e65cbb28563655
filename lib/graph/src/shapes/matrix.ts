/** Products of matrices, plain and quantized, convolution and attention. */
import { describeShape, type Dimension, type Shape } from "../dimension.ts";
import {
  axisOf,
  broadcast,
  floats,
  input,
  integer,
  integers,
  require,
  requireRank,
  requireShape,
  type Call,
  type Rule,
  type TensorType,
} from "./call.ts";

/** MatMul, FusedMatMul: (…,m,k) · (…,k,n) -> (…,m,n); transA and transB swap the last two of one. */
export const matMul: Rule = (call) => {
  const [a, b] = [floats(call, 0, "a left matrix"), floats(call, 1, "a right matrix")];
  for (const one of [a, b]) require(one.shape.length >= 2, "matrices", describeShape(one.shape));
  const [rows, inner] = lastTwo(a.shape, integer(call, "transA", 0));
  const [sameInner, columns] = lastTwo(b.shape, integer(call, "transB", 0));
  require(inner ===
    sameInner, `a right matrix with ${inner} rows${call.attributes.transB ? " when transposed" : ""}`, String(
    sameInner,
  ));
  const outer = broadcast([a.shape.slice(0, -2), b.shape.slice(0, -2)]);
  return [{ dtype: a.dtype, shape: [...outer, rows, columns] }];
};

function lastTwo(shape: Shape, transposed: number): [Dimension, Dimension] {
  const [rows, columns] = shape.slice(-2) as [Dimension, Dimension];
  return transposed ? [columns, rows] : [rows, columns];
}

/** (…,K) -> (…,N) with a bias of N, for the forms of a linear layer. */
function linear(call: Call, x: TensorType, width: Dimension, out: Dimension, bias: number) {
  require(x.shape.at(-1) === width, `an input (…,${width})`, describeShape(x.shape));
  if (call.inputs[bias]) requireShape("bias", floats(call, bias, "a bias"), [out]);
  return [{ dtype: x.dtype, shape: [...x.shape.slice(0, -1), out] }];
}

/** x, codes [N,blocks,bytes of one], scales [N·blocks]; zero points and group indices are left out. */
export const matMulNBits: Rule = (call) => {
  const x = floats(call, 0, "an input");
  const [codes, scales] = [input(call, 1, "codes"), floats(call, 2, "scales")];
  const [width, out] = [integer(call, "K"), integer(call, "N")];
  const [bits, size] = [integer(call, "bits"), integer(call, "block_size")];
  const blocks = Math.ceil(width / size);
  require(codes.dtype === "uint8", "codes of uint8", codes.dtype);
  requireShape("codes", codes, [out, blocks, (size * bits) / 8]);
  const count = scales.shape.reduce<number>((all, one) => all * Number(one), 1);
  require(count === out * blocks, `${out * blocks} scales`, describeShape(scales.shape));
  for (const i of [3, 4])
    require(!call.inputs[i], "neither zero points nor group indices", `input ${i}`);
  return linear(call, x, width, out, 5);
};

/** x, codes [K,N] int8, scales [N]; bias as the fifth. */
export const dynamicQuantizeMatMul: Rule = (call) => {
  const x = floats(call, 0, "an input");
  const [codes, scales] = [input(call, 1, "codes"), floats(call, 2, "scales")];
  require(codes.dtype === "int8", "codes of int8", codes.dtype);
  requireRank("codes", codes, 2);
  const [width, out] = codes.shape as [Dimension, Dimension];
  requireShape("scales", scales, [out]);
  require(!call.inputs[3], "no zero point", "input 3");
  return linear(call, x, width, out, 4);
};

/** q (N,S,D), k (N,T,D), v (N,T,E) -> (N,S,E) */
export const multiHeadAttention: Rule = (call) => {
  const [q, k, v] = ["queries", "keys", "values"].map((what, i) => {
    const one = floats(call, i, what);
    requireRank(what, one, 3);
    return one;
  }) as [TensorType, TensorType, TensorType];
  const [batch, rows, width] = q.shape as [Dimension, Dimension, Dimension];
  const positions = k.shape[1]!;
  requireShape("keys", k, [batch, positions, width]);
  requireShape("values", v, [batch, positions, v.shape[2]!]);
  const heads = integer(call, "num_heads");
  for (const size of [width, v.shape[2]!])
    require(typeof size === "number" &&
      size % heads === 0, `a width that is a multiple of ${heads} heads`, String(size));
  return [{ dtype: q.dtype, shape: [batch, rows, v.shape[2]!] }];
};

/**
 * q, k, v (B,S,H), cached keys and values (B,heads,P,d), last position of each row (B), length of the
 * longest (), tables of cosines and sines -> (B,S,H), and the cache with this step's rows in it.
 */
export const groupQueryAttention: Rule = (call) => {
  const q = floats(call, 0, "queries");
  requireRank("queries", q, 3);
  const [batch, , width] = q.shape as [Dimension, Dimension, Dimension];
  const heads = integer(call, "num_heads");
  require(integer(call, "kv_num_heads") === heads, `${heads} heads of keys`, String(
    call.attributes.kv_num_heads,
  ));
  for (const [i, what] of ["keys", "values"].entries())
    requireShape(what, floats(call, i + 1, what), q.shape);
  const past = floats(call, 3, "cached keys");
  requireRank("cached keys", past, 4);
  requireShape("cached keys", past, [batch, heads, past.shape[2]!, Number(width) / heads]);
  requireShape("cached values", floats(call, 4, "cached values"), past.shape);
  for (const [i, shape] of [[5, [batch]] as const, [6, []] as const]) {
    const lengths = input(call, i, "lengths");
    require(lengths.dtype === "int32", "lengths of int32", lengths.dtype);
    requireShape("lengths", lengths, shape);
  }
  requireShape(
    "sines",
    floats(call, 8, "a table of sines"),
    floats(call, 7, "a table of cosines").shape,
  );
  return [q, past, past].map(({ dtype, shape }) => ({ dtype, shape }));
};

/** Codes of 8 bits, and a scale for each index of an axis or for each block along it -> floats. */
export const dequantize: Rule = (call) => {
  const [codes, scales] = [input(call, 0, "codes"), floats(call, 1, "scales")];
  require(codes.dtype === "int8" || codes.dtype === "uint8", "codes of 8 bits", codes.dtype);
  const axis = axisOf(integer(call, "axis", 1), codes);
  const block = integer(call, "block_size", 0);
  const length = Number(codes.shape[axis]);
  const want = block ? codes.shape.with(axis, Math.ceil(length / block)) : [codes.shape[axis]!];
  requireShape("scales", scales, want);
  if (call.inputs[2]) requireShape("zero points", input(call, 2, "zero points"), want);
  return [{ dtype: scales.dtype, shape: codes.shape }];
};

/** x (N,C,H,W), kernel (O,C,h,w), bias (O) -> (N,O,H',W'); no padding, no groups. */
export const convolution: Rule = (call) => {
  const [x, kernel] = [floats(call, 0, "an input"), floats(call, 1, "a kernel")];
  requireRank("an input", x, 4);
  requireRank("a kernel", kernel, 4);
  const [batch, channels, ...sides] = x.shape as [Dimension, Dimension, Dimension, Dimension];
  const [out, ofChannels, ...window] = kernel.shape as [Dimension, Dimension, number, number];
  require(channels === ofChannels, `a kernel over ${channels} channels`, String(ofChannels));
  requireShape("kernel_shape", { dtype: "int64", shape: integers(call, "kernel_shape") }, window);
  if (call.inputs[2]) requireShape("bias", floats(call, 2, "a bias"), [out]);
  const strides = integers(call, "strides");
  require(strides.length === 2 &&
    strides.every((stride) => stride > 0), "two strides", JSON.stringify(strides));
  const places = sides.map((side, i) => {
    require(typeof side === "number" &&
      side >= window[i]!, `a picture of at least ${window[i]} a side`, String(side));
    return Math.floor((side - window[i]!) / strides[i]!) + 1;
  });
  return [{ dtype: x.dtype, shape: [batch, out, ...places] }];
};
