/** The operators that graphs are made of: where they are defined, what they take, and the shapes they give. A table. */
import {
  activation,
  arithmetic,
  cast,
  bits,
  comparison,
  identity,
  normalization,
  reduction,
  reductionOf,
  rotary,
  softmax,
  where,
} from "./elementwise.ts";
import { Problem, type Call, type Rule, type TensorType } from "./call.ts";
import {
  convolution,
  dequantize,
  dynamicQuantizeMatMul,
  groupQueryAttention,
  matMul,
  matMulNBits,
  multiHeadAttention,
} from "./matrix.ts";
import {
  concat,
  constantOfShape,
  expand,
  flatten,
  gather,
  gatherElements,
  range,
  reshape,
  scatterElements,
  scatterRows,
  shapeOf,
  split,
  squeeze,
  transpose,
  unsqueeze,
} from "./moving.ts";

interface Operator {
  /** "" for ONNX's own, "com.microsoft" for ONNX Runtime's. */
  readonly domain: string;
  /** How many inputs at least and at most. */
  readonly inputs: readonly [number, number];
  readonly attributes: readonly string[];
  readonly rule: Rule;
}

type Row = [inputs: number | [number, number], attributes: string, rule: Rule];

const of = (domain: string, rows: Readonly<Record<string, Row>>): [string, Operator][] =>
  Object.entries(rows).map(([name, [inputs, attributes, rule]]) => [
    name,
    {
      domain,
      inputs: typeof inputs === "number" ? [inputs, inputs] : inputs,
      attributes: attributes.split(" "),
      rule,
    },
  ]);

/** ONNX's operators (onnx.ai/onnx/operators), and ONNX Runtime's own (its page of contrib operators). */
const operators: ReadonlyMap<string, Operator> = new Map([
  ...of("", {
    Add: [2, "", arithmetic],
    BitShift: [2, "direction", bits],
    BitwiseAnd: [2, "", bits],
    Cast: [1, "to", cast],
    Concat: [[1, Infinity], "axis", concat],
    ConstantOfShape: [1, "", constantOfShape],
    Conv: [[2, 3], "kernel_shape strides", convolution],
    DequantizeLinear: [[2, 3], "axis block_size", dequantize],
    Erf: [1, "", activation],
    Exp: [1, "", activation],
    Expand: [2, "", expand],
    Flatten: [1, "axis", flatten],
    Gather: [2, "axis", gather],
    GatherElements: [2, "axis", gatherElements],
    Greater: [2, "", comparison],
    Identity: [1, "", identity],
    LayerNormalization: [[2, 3], "axis epsilon", normalization],
    Less: [2, "", comparison],
    LogSoftmax: [1, "axis", softmax],
    MatMul: [2, "", matMul],
    Min: [[1, Infinity], "", arithmetic],
    Mul: [2, "", arithmetic],
    Neg: [1, "", activation],
    Range: [3, "", range],
    Reciprocal: [1, "", activation],
    ReduceMax: [1, "keepdims", reduction],
    ReduceMean: [1, "keepdims", reduction],
    ReduceMin: [1, "keepdims", reduction],
    ReduceSum: [2, "keepdims", reductionOf],
    Reshape: [2, "", reshape],
    ScatterElements: [3, "axis", scatterElements],
    ScatterND: [3, "reduction", scatterRows],
    Shape: [1, "start end", shapeOf],
    // Without a domain of its own, though it is none of ONNX's.
    SimplifiedLayerNormalization: [2, "axis epsilon", normalization],
    Softmax: [1, "axis", softmax],
    Split: [2, "axis", split],
    Sqrt: [1, "", activation],
    Squeeze: [1, "", squeeze],
    Sub: [2, "", arithmetic],
    Tanh: [1, "", activation],
    Transpose: [1, "perm", transpose],
    Unsqueeze: [2, "", unsqueeze],
    Where: [3, "", where],
  }),
  ...of("com.microsoft", {
    DynamicQuantizeMatMul: [[3, 5], "", dynamicQuantizeMatMul],
    FastGelu: [1, "", activation],
    FusedMatMul: [2, "transA transB alpha", matMul],
    Gelu: [1, "", activation],
    GroupQueryAttention: [9, "num_heads kv_num_heads do_rotary scale", groupQueryAttention],
    MatMulNBits: [[3, 6], "K N bits block_size accuracy_level", matMulNBits],
    MultiHeadAttention: [3, "num_heads", multiHeadAttention],
    RotaryEmbedding: [4, "rotary_embedding_dim num_heads interleaved", rotary],
  }),
]);

export const operatorNames: readonly string[] = [...operators.keys()];

/** The domain an operator is defined in; undefined for one that has no row. */
export function domainOf(name: string): string | undefined {
  return operators.get(name)?.domain;
}

/** The types of an operator's outputs. Throws a `Problem` for a call that it cannot have. */
export function outputTypes(name: string, call: Call): readonly TensorType[] {
  const operator = operators.get(name);
  if (!operator) throw new Problem("want an operator with a shape rule, got one without");
  const { inputs, attributes, rule } = operator;
  const [least, most] = inputs;
  const count = call.inputs.length;
  if (count < least || count > most)
    throw new Problem(
      `want ${least === most ? least : `${least} to ${most}`} inputs, got ${count}`,
    );
  const unknown = Object.keys(call.attributes).find((key) => !attributes.includes(key));
  if (unknown !== undefined)
    throw new Problem(`want attributes of ${attributes.join(", ") || "none"}, got ${unknown}`);
  const types = rule(call);
  if (types.length !== call.outputs)
    throw new Problem(`want ${types.length} outputs, got ${call.outputs}`);
  return types;
}
