import type { DType } from "@tinygptv/model";
import { describe, expect, it } from "vitest";
import { describeShape, type Shape } from "../dimension.ts";
import type { Attribute } from "../graph.ts";
import { Problem, type TensorType } from "./call.ts";
import { operatorNames, outputTypes } from "./operators.ts";

type Given = TensorType | undefined;

const [B, S, P] = ["batch", "sequence", "past"];
const tensor =
  (dtype: DType) =>
  (...shape: Shape): TensorType => ({ dtype, shape });
const f32 = tensor("float32");
const f16 = tensor("float16");
const i64 = tensor("int64");
const i32 = tensor("int32");
const u8 = tensor("uint8");
const i8 = tensor("int8");
const bool = tensor("bool");
/** A list of integers whose elements are known. */
const list = (...contents: Shape): TensorType => ({ ...i64(contents.length), contents });
const scalar = (...contents: Shape): TensorType => ({ ...i64(), contents });

const written = ({ dtype, shape, contents }: TensorType) =>
  `${dtype} ${describeShape(shape)}${contents ? ` = ${contents.join(" ")}` : ""}`;

const int = { K: 64, N: 8, bits: 4, block_size: 32, accuracy_level: 4 };
const conv = { kernel_shape: [2, 2], strides: [2, 2] };
const rotary = { rotary_embedding_dim: 4, num_heads: 2, interleaved: 0 };
const kept = { attributes: { keepdims: 0 } };

const cached = "float32 (batch,2,past,4)";
const groupedAttributes = { num_heads: 2, kv_num_heads: 2, do_rotary: 1, scale: { float: 0.5 } };
const groupedOptions = { outputs: 3, attributes: groupedAttributes };
const grouped = (key: Given = f32(B, S, 8), past: Given = f32(B, 2, P, 4)): Given[] => [
  f32(B, S, 8),
  key,
  f32(B, S, 8),
  past,
  f32(B, 2, P, 4),
  i32(B),
  i32(),
  f32(99, 1),
  f32(99, 1),
];

interface Fine {
  attributes?: Record<string, Attribute>;
  outputs?: number;
}
const fine: [op: string, inputs: Given[], outputs: string | string[], options?: Fine][] = [
  ["Add", [f32(B, S, 8), f32(8)], "float32 (batch,sequence,8)"],
  ["Add", [f32(B, 1, S, P), f32(B, 4, 1, P)], "float32 (batch,4,sequence,past)"],
  ["Add", [i64(B, 1), i64(S)], "int64 (batch,sequence)"],
  ["Mul", [f16(3), f16()], "float16 (3)"],
  ["Sub", [f32(B, S, 8), f32(B, S, 1)], "float32 (batch,sequence,8)"],
  ["BitwiseAnd", [u8(4, 2, 8), u8(1)], "uint8 (4,2,8)"],
  ["BitShift", [u8(4, 8), u8(1)], "uint8 (4,8)", { attributes: { direction: "RIGHT" } }],
  ...["Erf", "Exp", "Neg", "Reciprocal", "Sqrt", "Tanh"].map((op): [string, Given[], string] => [
    op,
    [f32(B, 8)],
    "float32 (batch,8)",
  ]),
  ["LogSoftmax", [f32(B, 8)], "float32 (batch,8)", { attributes: { axis: -1 } }],
  ["ConstantOfShape", [list(B, 3)], "float32 (batch,3)"],
  ["GatherElements", [f32(B, 9), i64(B, 1)], "float32 (batch,1)", { attributes: { axis: -1 } }],
  ["ReduceSum", [f32(B, S, 8), list(0, 2)], "float32 (1,sequence,1)"],
  ["ReduceSum", [f32(B, S, 8), list(-1)], "float32 (batch,sequence)", kept],
  [
    "DequantizeLinear",
    [u8(6, 3, 16), f32(6, 3, 1), u8(6, 3, 1)],
    "float32 (6,3,16)",
    { attributes: { axis: 2, block_size: 16 } },
  ],
  ["Min", [i64(B, S), i64(1)], "int64 (batch,sequence)"],
  ["Min", [i64(B, S)], "int64 (batch,sequence)"],
  ["Less", [i64(P), i64(B, 1)], "bool (batch,past)"],
  ["Greater", [f32(2, 3), f32(3)], "bool (2,3)"],
  ["Where", [bool(B, P), f32(1), f32(1)], "float32 (batch,past)"],
  ["Identity", [list(1, S)], "int64 (2) = 1 sequence"],
  ["Gelu", [f32(B, 8)], "float32 (batch,8)"],
  ["FastGelu", [f16(B, 8)], "float16 (batch,8)"],
  ["Softmax", [f32(B, 8)], "float32 (batch,8)", { attributes: { axis: -1 } }],
  ["Cast", [f16(B, 8)], "float32 (batch,8)", { attributes: { to: 1 } }],
  ["Cast", [bool(B)], "int64 (batch)", { attributes: { to: 7 } }],
  ["LayerNormalization", [f32(B, S, 8), f32(8), f32(8)], "float32 (batch,sequence,8)"],
  [
    "LayerNormalization",
    [f32(B, S, 8), f32(8)],
    ["float32 (batch,sequence,8)", "float32 (batch,sequence,1)", "float32 (batch,sequence,1)"],
    { outputs: 3, attributes: { axis: -1 } },
  ],
  ["SimplifiedLayerNormalization", [f32(B, 8), f32(8)], "float32 (batch,8)"],
  ["DequantizeLinear", [i8(8, 6), f32(6)], "float32 (8,6)", { attributes: { axis: 1 } }],
  [
    "ScatterElements",
    [f16(B, 2, 4, P), i32(B, 2, 4, S), f16(B, 2, 4, S)],
    "float16 (batch,2,4,past)",
    { attributes: { axis: 3 } },
  ],
  ["Flatten", [f32(B, 2, P)], "float32 (2*batch,past)", { attributes: { axis: 2 } }],
  ["ScatterND", [f32(B, 2, P), i64(3, 1), f32(3, 2, P)], "float32 (batch,2,past)"],
  [
    "GroupQueryAttention",
    grouped(),
    ["float32 (batch,sequence,8)", cached, cached],
    groupedOptions,
  ],
  ["ReduceMax", [f32(B, 8)], "float32 ()", kept],
  ["ReduceMin", [f32(B, 8)], "float32 (1,1)"],
  ["ReduceMean", [f32(B, 8)], "float32 ()", kept],
  ["MatMul", [f32(B, S, 8), f32(8, 3)], "float32 (batch,sequence,3)"],
  ["MatMul", [f32(B, 4, S, P), f32(B, 4, P, 8)], "float32 (batch,4,sequence,8)"],
  ["MatMul", [f32(B, 4, S, P), f32(1, 1, P, 8)], "float32 (batch,4,sequence,8)"],
  [
    "FusedMatMul",
    [f32(B, 4, S, 8), f32(B, 4, P, 8)],
    "float32 (batch,4,sequence,past)",
    { attributes: { transB: 1, alpha: { float: 0.5 } } },
  ],
  ["FusedMatMul", [f32(8, 3), f32(8, 5)], "float32 (3,5)", { attributes: { transA: 1 } }],
  ["MatMulNBits", [f32(B, 64), u8(8, 2, 16), f32(16)], "float32 (batch,8)", { attributes: int }],
  [
    "MatMulNBits",
    [f32(B, 75), u8(8, 3, 32), f32(24), undefined, undefined, f32(8)],
    "float32 (batch,8)",
    { attributes: { ...int, K: 75, bits: 8 } },
  ],
  ["DynamicQuantizeMatMul", [f32(B, S, 8), i8(8, 3), f32(3)], "float32 (batch,sequence,3)"],
  ["DynamicQuantizeMatMul", [f32(B, 8), i8(8, 3), f32(3), undefined, f32(3)], "float32 (batch,3)"],
  [
    "MultiHeadAttention",
    [f32(B, 5, 8), f32(B, 9, 8), f32(B, 9, 4)],
    "float32 (batch,5,4)",
    { attributes: { num_heads: 2 } },
  ],
  [
    "RotaryEmbedding",
    [f32(B, 2, S, 8), i64(B, S), f32(99, 2), f32(99, 2)],
    "float32 (batch,2,sequence,8)",
    { attributes: rotary },
  ],
  [
    "RotaryEmbedding",
    [f32(B, S, 16), i64(B, S), f32(99, 2), f32(99, 2)],
    "float32 (batch,sequence,16)",
    { attributes: rotary },
  ],
  ["Conv", [f32(B, 3, 8, 9), f32(5, 3, 2, 2)], "float32 (batch,5,4,4)", { attributes: conv }],
  [
    "Conv",
    [f32(B, 3, 8, 8), f32(5, 3, 2, 2), f32(5)],
    "float32 (batch,5,4,4)",
    { attributes: conv },
  ],
  ["Reshape", [f32(B, S, 8), list(0, 0, 2, 4)], "float32 (batch,sequence,2,4)"],
  ["Reshape", [f32(B, S, 8), list(-1, 8)], "float32 (batch*sequence,8)"],
  ["Reshape", [f32(B, S, 8), list(-1, 2, 4)], "float32 (batch*sequence,2,4)"],
  ["Reshape", [f32("batch*sequence", 8), list(B, -1, 8)], "float32 (batch,sequence,8)"],
  ["Reshape", [f32("past+sequence", 8), list(-1)], "float32 (8*past+8*sequence)"],
  ["Reshape", [f32(8), list(2, -1)], "float32 (2,4)"],
  [
    "Transpose",
    [f32(B, S, 2, 4)],
    "float32 (batch,2,sequence,4)",
    { attributes: { perm: [0, 2, 1, 3] } },
  ],
  [
    "Concat",
    [f32(B, 4, S, P), f32(B, 4, S, S)],
    "float32 (batch,4,sequence,past+sequence)",
    { attributes: { axis: -1 } },
  ],
  ["Concat", [f32(B, 1), f32(B, 3)], "float32 (batch,4)", { attributes: { axis: 1 } }],
  [
    "Concat",
    [list(B), list(1), list(S)],
    "int64 (3) = batch 1 sequence",
    { attributes: { axis: 0 } },
  ],
  [
    "Split",
    [f32(B, "past+sequence"), list(P, S)],
    ["float32 (batch,past)", "float32 (batch,sequence)"],
    { outputs: 2, attributes: { axis: -1 } },
  ],
  [
    "Gather",
    [f32("batch*sequence", 8), i64("logits")],
    "float32 (logits,8)",
    { attributes: { axis: 0 } },
  ],
  ["Gather", [f32(B, 9), i64(2, 3)], "float32 (batch,2,3)", { attributes: { axis: 1 } }],
  ["Expand", [f32(1, 3, 8), list(B, 3, 8)], "float32 (batch,3,8)"],
  ["Expand", [f32(S, S), list(B, 1, S, S)], "float32 (batch,1,sequence,sequence)"],
  ["Shape", [f32(B, S, 8)], "int64 (3) = batch sequence 8"],
  ["Shape", [f32(B, S, 8)], "int64 (1) = sequence", { attributes: { start: 1, end: 2 } }],
  ["Range", [scalar(0), scalar(S), scalar(1)], "int64 (sequence)"],
  ["Squeeze", [list(S)], "int64 () = sequence"],
  ["Squeeze", [f32(B, 1, 8, 1)], "float32 (batch,8)"],
  ["Unsqueeze", [f32(B, P), list(1, 2)], "float32 (batch,1,1,past)"],
];

describe("what operators give", () => {
  it.each(fine)("%s %j -> %s", (op, inputs, outputs, { attributes = {}, outputs: count } = {}) => {
    const types = outputTypes(op, { inputs, attributes, outputs: count ?? 1 });
    expect(types.map(written)).toEqual([outputs].flat());
  });

  it("is known of every operator in the table", () => {
    const tried = new Set(fine.map(([op]) => op));
    const untried = operatorNames.filter((name) => !tried.has(name));
    expect(untried).toEqual([]);
  });
});

const wrong: [
  op: string,
  inputs: Given[],
  problem: string,
  attributes?: Record<string, Attribute>,
][] = [
  ["Add", [f32(B, 8), f32(7)], "want shapes that repeat to one, got (batch,8) and (7)"],
  ["Add", [f32(B), f32(S)], "got (batch) and (sequence)"],
  ["Add", [f32(B), i64(B)], "want inputs of one type, float32, got int64"],
  ["Add", [f32(B)], "want 2 inputs, got 1"],
  ["Add", [f32(B), undefined], "want input 1, got none"],
  ["Less", [i64(P), i64(S)], "got (past) and (sequence)"],
  ["Where", [f32(B), f32(B), f32(B)], "want a condition of bool, got float32"],
  ["Gelu", [i64(B)], "want an input of a floating-point type, got int64"],
  ["Softmax", [f32(B)], "want an axis of (batch), got 1", { axis: 1 }],
  ["Cast", [f32(B)], "want an integer to, got none"],
  ["LayerNormalization", [f32(B, 8), f32(7), f32(8)], "want scale (8), got (7)"],
  ["LayerNormalization", [f32(B, 8), f32(8), f32(9)], "want bias (8), got (9)"],
  ["SimplifiedLayerNormalization", [f32(B, 8), f32(B)], "want scale (8), got (batch)"],
  ["MatMul", [f32(B, 8), f32(9, 3)], "want a right matrix with 8 rows, got 9"],
  ["MatMul", [f32(B, 4, S, 8), f32(B, 5, 8, 3)], "want shapes that repeat to one"],
  ["MatMul", [f32(8), f32(8, 3)], "want matrices, got (8)"],
  ["MatMul", [f32(B, 8), f16(8, 3)], "want a right matrix of float32, got float16"],
  ["MatMul", [f32(B, 8), f32(8, 3)], "want attributes of none, got transB", { transB: 1 }],
  ["FusedMatMul", [f32(S, 8), f32(P, 9)], "with 8 rows when transposed, got 9", { transB: 1 }],
  ["MatMulNBits", [f32(B, 63), u8(8, 2, 16), f32(16)], "want an input (…,64), got (batch,63)", int],
  ["MatMulNBits", [f32(B, 64), u8(8, 3, 16), f32(16)], "want codes (8,2,16), got (8,3,16)", int],
  ["MatMulNBits", [f32(B, 64), i8(8, 2, 16), f32(16)], "want codes of uint8, got int8", int],
  ["MatMulNBits", [f32(B, 64), u8(8, 2, 16), f32(8)], "want 16 scales, got (8)", int],
  ["MatMulNBits", [f32(B, 64), u8(8, 2, 16), f32(16), u8(8)], "want neither zero points", int],
  ["DynamicQuantizeMatMul", [f32(B, 8), i8(9, 3), f32(3)], "want an input (…,9), got (batch,8)"],
  ["DynamicQuantizeMatMul", [f32(B, 8), i8(8, 3), f32(4)], "want scales (3), got (4)"],
  [
    "DynamicQuantizeMatMul",
    [f32(B, 8), i8(8, 3), f32(3), undefined, f32(8)],
    "want bias (3), got (8)",
  ],
  [
    "MultiHeadAttention",
    [f32(B, 5, 8), f32(B, 9, 6), f32(B, 9, 8)],
    "want keys (batch,9,8), got (batch,9,6)",
    { num_heads: 2 },
  ],
  [
    "MultiHeadAttention",
    [f32(B, 5, 8), f32(B, 9, 8), f32(B, 7, 8)],
    "want values (batch,9,8), got (batch,7,8)",
    { num_heads: 2 },
  ],
  [
    "MultiHeadAttention",
    [f32(B, 5, 8), f32(B, 9, 8), f32(B, 9, 8)],
    "want a width that is a multiple of 3 heads, got 8",
    { num_heads: 3 },
  ],
  [
    "RotaryEmbedding",
    [f32(B, 2, S, 8), i64(B, P), f32(99, 2), f32(99, 2)],
    "want positions (batch,sequence), got (batch,past)",
    rotary,
  ],
  [
    "RotaryEmbedding",
    [f32(B, 2, S, 8), i64(B, S), f32(99, 3), f32(99, 3)],
    "want cosines (99,2), got (99,3)",
    rotary,
  ],
  ["Conv", [f32(B, 4, 8, 8), f32(5, 3, 2, 2)], "want a kernel over 4 channels, got 3", conv],
  ["Conv", [f32(B, 3, 8, 8), f32(5, 3, 2, 2), f32(4)], "want bias (5), got (4)", conv],
  [
    "Conv",
    [f32(B, 3, 8, 8), f32(5, 3, 2, 2)],
    "want two strides, got [2]",
    { ...conv, strides: [2] },
  ],
  [
    "Conv",
    [f32(B, 3, 8, S), f32(5, 3, 2, 2)],
    "want a picture of at least 2 a side, got sequence",
    conv,
  ],
  ["Conv", [f32(B, 3, 8, 8), f32(5, 3, 2, 2)], "got pads", { ...conv, pads: [1, 1, 1, 1] }],
  [
    "Reshape",
    [f32(B, S, 8), list(0, 0, 3, 3)],
    "want a shape of 8*batch*sequence elements, got (0,0,3,3) for (batch,sequence,8)",
  ],
  ["Reshape", [f32(B, 8), list(-1, 3)], "want a shape of 8*batch elements"],
  ["Reshape", [f32(B, 8), list(-1, -1)], "want a shape of 8*batch elements"],
  ["Reshape", [f32(B, 8), list(0, 0, 0)], "want a shape of 8*batch elements"],
  [
    "Reshape",
    [f32(B, 8), i64(2)],
    "want a shape made of constants and dimensions, got values known at run time",
  ],
  ["Transpose", [f32(B, S)], "want an order of 2 axes, got [0,0]", { perm: [0, 0] }],
  ["Concat", [f32(B, 8), f32(S, 8)], "want an input (batch,8), got (sequence,8)", { axis: 1 }],
  ["Concat", [f32(B, 8), f32(B, 8, 1)], "want an input (batch,8), got (batch,8,1)", { axis: 1 }],
  ["Split", [f32(B, 8), list(3, 4)], "want 1 sizes, got 2", { axis: 1 }],
  ["Split", [f32(B, 8), list(7)], "want sizes that sum to 8, got 7", { axis: 1 }],
  ["Gather", [f32(B, 8), f32(3)], "want indices of int64 or int32, got float32"],
  ["Expand", [f32(2, 8), list(B, 8)], "want shapes that repeat to one, got (2,8) and (batch,8)"],
  ["Range", [scalar(1), scalar(S), scalar(1)], "want a range from 0 in steps of 1, got 1, step 1"],
  ["Range", [list(0), scalar(S), scalar(1)], "want a start of 0 dimensions, got (1)"],
  ["Unsqueeze", [f32(B), list(3)], "want axes of (batch), got 3"],
  ["DequantizeLinear", [i8(8, 6), f32(8)], "want scales (6), got (8)", { axis: 1 }],
  ["DequantizeLinear", [f32(8, 6), f32(6)], "want codes of 8 bits, got float32", { axis: 1 }],
  [
    "ScatterElements",
    [f32(B, P), i32(B, S), f32(B, 3)],
    "want indices (batch,3), got (batch,sequence)",
    { axis: 1 },
  ],
  [
    "ScatterElements",
    [f32(B, P), i32(3, S), f32(3, S)],
    "want updates (batch,sequence), got (3,sequence)",
    { axis: 1 },
  ],
  ["Flatten", [f32(B, 2)], "want an axis of (batch,2), got 3", { axis: 3 }],
  ["ScatterND", [f32(B, 8), i64(3, 2), f32(3, 8)], "want indices (3,1), got (3,2)"],
  ["ScatterND", [f32(B, 8), i64(3, 1), f32(3, 7)], "want updates (3,8), got (3,7)"],
  [
    "GroupQueryAttention",
    grouped(f32(B, S, 4)),
    "want keys (batch,sequence,8), got (batch,sequence,4)",
    groupedAttributes,
  ],
  [
    "GroupQueryAttention",
    grouped(f32(B, S, 8), f32(B, 2, P, 3)),
    "want cached keys (batch,2,past,4), got (batch,2,past,3)",
    groupedAttributes,
  ],
  ["Loop", [f32(B)], "want an operator with a shape rule, got one without"],
];

describe("what operators refuse", () => {
  it.each(wrong)("%s %j: %s", (op, inputs, problem, attributes = {}) => {
    const run = () => outputTypes(op, { inputs, attributes, outputs: 1 });
    expect(run).toThrow(Problem);
    expect(run).toThrow(problem);
  });
});
