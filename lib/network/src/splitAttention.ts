/**
 * Attention for processors, where what a graph gives back is copied: cached keys
 * and values are inputs only, and the graph returns just the rows of this step,
 * which the caller writes into its own buffers. Nothing of the size of the cache
 * is ever copied.
 *
 * Outside attention every input is a row of its own, and the caller adds as many
 * rows of `padding` as it takes for a count at which the kernels compute each row
 * alike: a row by itself, or the last one of an odd count, may meet another kernel
 * than its neighbours (lib/runtime/src/session/rowCounts.ts).
 */
import { sum } from "@tinygptv/graph";
import type { GraphBuilder, Value } from "@tinygptv/graph";
import {
  B,
  P,
  S,
  headNorm,
  inputs,
  rotaryTables,
  type AttentionContext,
  type AttentionForm,
} from "./attention.ts";
import { hidden } from "./feeds.ts";
import { add, linear, reshape, splitInThree, transposeAxes } from "./layers.ts";

/** Rows added. */
const F = "padding";
/** All that linear layers run over. */
const N = sum(inputs, F);

/** Keys and values of one layer, of the cache or of this step. */
interface KeyValue {
  key: Value;
  value: Value;
}

/**
 * padding (F,H) of anything finite, past_length (B) int64, past_key.N and
 * past_value.N (B,heads,P,d) -> key.N and value.N (B,heads,S,d)
 */
export const splitAttention: AttentionForm = (context) => {
  const { root, config, embeds } = context;
  const { width: H, numLayers, numHeads, headDim: d } = config;
  const padding = root.input("padding", "float32", [F, H]);
  const pastLength = root.input("past_length", "int64", [B]);
  const past = Array.from({ length: numLayers }, (_, layer) => ({
    key: root.input(`past_key.${layer}`, "float32", [B, numHeads, P, d]),
    value: root.input(`past_value.${layer}`, "float32", [B, numHeads, P, d]),
  }));
  const step = prepareStep(root.at("step"), context, { padding, pastLength, past });
  const rows = reshape(root, embeds, [inputs, H]);
  return {
    rows: root.op("Concat", [rows, padding], { attributes: { axis: 0 } }).is(N, H),
    attend(g, h, layer, name) {
      const { attended, key, value } = attend(g, context, h, past[layer]!, step, name);
      root.output(`key.${layer}`, key);
      root.output(`value.${layer}`, value);
      return attended;
    },
  };
};

/** What the graph is given. */
interface Inputs {
  padding: Value;
  pastLength: Value;
  past: readonly KeyValue[];
}

/** What every layer of one step shares. */
interface Step {
  /** Position of each input, (B,S). */
  positions: Value;
  /** 0 or `hidden`, (B,1,S,P+S). */
  mask: Value;
  /** P and S, as the sizes to split attention weights into, (2). */
  splitSizes: Value;
  /** B, S, heads and d, (4). */
  headShape: Value;
  /** B·S and F, as the sizes to split rows into, (2). */
  rowSizes: Value;
  /** (F,H) */
  padding: Value;
  cos: Value;
  sin: Value;
}

/** Scores over the cached and the new positions are computed apart and meet in one softmax. (N,H) -> (N,H) */
function attend(
  g: GraphBuilder,
  context: AttentionContext,
  h: Value,
  past: KeyValue,
  step: Step,
  name: string,
): KeyValue & { attended: Value } {
  const { weights, config } = context;
  const { width: H, numHeads: heads, headDim: d } = config;
  const rows = linear(g.at("qkv"), weights, h, `${name}.qkv`, 3 * H).is(N, 3 * H);
  const [qkv] = g.ops("Split", [rows, step.rowSizes], 2, {
    attributes: { axis: 0 },
    label: "rows",
  });
  const [q, k, v] = splitInThree(g.at("qkv"), qkv!.is(inputs, 3 * H));
  const query = headsOf(g.at("query"), context, q, step, `${name}.queryNorm`);
  const key = headsOf(g.at("key"), context, k, step, `${name}.keyNorm`);
  const ofHeads = g.at("value").op("Reshape", [v, step.headShape]).is(B, S, heads, d);
  const value = transposeAxes(g.at("value"), ofHeads, [0, 2, 1, 3]).is(B, heads, S, d);

  const attributes = { transB: 1, alpha: { float: d ** -0.5 } };
  const pastScores = g.op("FusedMatMul", [query, past.key], { attributes, label: "past" });
  const newScores = g.op("FusedMatMul", [query, key], { attributes, label: "new" });
  let scores = g.op("Concat", [pastScores, newScores], { attributes: { axis: -1 } });
  scores = add(g, scores, step.mask).is(B, heads, S, sum(P, S));
  scores = g.op("Softmax", [scores], { attributes: { axis: -1 } });
  const [pastWeights, newWeights] = g.ops("Split", [scores, step.splitSizes], 2, {
    attributes: { axis: -1 },
  });

  const pastValues = g.op("MatMul", [pastWeights!, past.value], { label: "past" });
  const newValues = g.op("MatMul", [newWeights!, value], { label: "new" });
  let attended = add(g, pastValues, newValues, "values").is(B, heads, S, d);
  attended = transposeAxes(g, attended, [0, 2, 1, 3]).is(B, S, heads, d);
  attended = reshape(g, attended, [inputs, H]);
  attended = g.op("Concat", [attended, step.padding], { attributes: { axis: 0 }, label: "rows" });
  return { attended: attended.is(N, H), key, value };
}

/** Splits into heads, norms each (one weight for all heads of a layer), rotates the first entries. (B·S,H) -> (B,heads,S,d) */
function headsOf(
  g: GraphBuilder,
  context: AttentionContext,
  x: Value,
  { positions, headShape, cos, sin }: Step,
  norm: string,
): Value {
  const { numHeads: heads, headDim: d, rotaryDim } = context.config;
  x = g.op("Reshape", [x, headShape]).is(B, S, heads, d);
  x = headNorm(g, context, x, norm);
  x = transposeAxes(g, x, [0, 2, 1, 3]).is(B, heads, S, d);
  return g.op("RotaryEmbedding", [x, positions, cos, sin], {
    attributes: { rotary_embedding_dim: rotaryDim, num_heads: heads, interleaved: 0 },
  });
}

/** Positions, mask and rotary tables, from the lengths alone. */
function prepareStep(
  g: GraphBuilder,
  { config, embeds }: AttentionContext,
  { padding, pastLength, past }: Inputs,
): Step {
  const zero = g.constant("int64", [0], []);
  const one = g.constant("int64", [1], []);
  const sizeOf = (value: Value, axis: number, label: string) =>
    g.op("Shape", [value], { attributes: { start: axis, end: axis + 1 }, label });
  const sequence = sizeOf(embeds, 1, "sequence");
  const cached = sizeOf(past[0]!.key, 2, "past");
  const range = (size: Value, label: string) =>
    g.op("Range", [zero, g.op("Squeeze", [size], { label }), one], { label });
  const offsets = range(sequence, "offsets").is(S);
  const slots = range(cached, "slots").is(P);

  // Padding may run past the context; its positions only have to be valid.
  const last = g.constant("int64", [config.contextLength - 1]);
  const lengths = reshape(g, pastLength, [B, 1], "lengths");
  const positions = g.op("Min", [add(g, lengths, offsets, "positions"), last]).is(B, S);

  const unseen = g.constant("float32", [hidden.float32]);
  const seen = g.constant("float32", [0]);
  const pastSeen = g.op("Less", [slots, lengths], { label: "past" }).is(B, P);
  let pastMask = g.op("Where", [pastSeen, seen, unseen], { label: "past" });
  pastMask = g.op("Unsqueeze", [pastMask, g.constant("int64", [1, 2])]).is(B, 1, 1, P);
  const rows = reshape(g, offsets, [S, 1], "rows");
  const future = g.op("Greater", [offsets, rows]).is(S, S);
  const newMask = g.op("Where", [future, unseen, seen], { label: "new" });

  const unit = g.constant("int64", [1]);
  const batch = sizeOf(embeds, 0, "batch");
  const expand = (value: Value, size: Value, label: string) => {
    const sizes = [batch, unit, sequence, size];
    const shape = g.op("Concat", sizes, { attributes: { axis: 0 }, label: `${label}Shape` });
    return g.op("Expand", [value, shape], { label });
  };
  const masks = [
    expand(pastMask, cached, "pastMask").is(B, 1, S, P),
    expand(newMask, sequence, "newMask").is(B, 1, S, S),
  ];
  const mask = g.op("Concat", masks, { attributes: { axis: -1 }, label: "mask" });
  const splitSizes = g.op("Concat", [cached, sequence], {
    attributes: { axis: 0 },
    label: "splitSizes",
  });
  const flat = reshape(g, embeds, [inputs, config.width], "inputs");
  const rowSizes = g.op("Concat", [sizeOf(flat, 0, "inputs"), sizeOf(padding, 0, "padding")], {
    attributes: { axis: 0 },
    label: "rowSizes",
  });
  const headSizes = g.constant("int64", [config.numHeads, config.headDim]);
  const headShape = g.op("Concat", [batch, sequence, headSizes], {
    attributes: { axis: 0 },
    label: "headShape",
  });
  return {
    positions,
    mask,
    splitSizes,
    headShape,
    rowSizes,
    padding,
    ...rotaryTables(g, config),
  };
}
