/**
 * Phi-2 with the reference's changes (LayerNorm on queries and keys, RMS norm
 * after attention), LoRA already merged, in forward order.
 * Source: the reference's own `modeling_phi.py`.
 *
 * One graph serves prefill, chunked prefill, decoding, ragged batches and beams
 * by "split attention": cached keys and values are inputs only, and the graph
 * returns just the rows of this step, which the caller writes into its own
 * buffers. Nothing of the size of the cache is ever copied. Rows of a batch are
 * padded on the right; what follows a row's last input is computed and never looked at.
 */
import { GraphBuilder } from "@tinygptv/graph";
import type { Graph, Value } from "@tinygptv/graph";
import type { PhiConfig } from "@tinygptv/model";
import {
  add,
  geluTanh,
  layerNorm,
  linear,
  microsoft,
  reshape,
  rmsNorm,
  transposeAxes,
} from "./layers.ts";
import { asBytes, type Weights } from "./weights.ts";

/** Added to the scores of positions that must not be seen; finite, so that a row without any stays finite too. */
const masked = -3.0e38;

/** What every layer of one step shares. */
interface Step {
  /** Position of each input, (B,S). */
  positions: Value;
  /** 0 or `masked`, (B,1,S,P+S). */
  mask: Value;
  /** P and S, as the sizes to split attention weights into, (2). */
  splitSizes: Value;
  cos: Value;
  sin: Value;
}

/**
 * inputs_embeds (B,S,H), past_length (B) int64, logits_rows (L) int64,
 * past_key.N and past_value.N (B,heads,P,d)
 * -> logits (L,V), key.N and value.N (B,heads,S,d)
 *
 * `logits_rows` are indices into the B·S inputs: logits are computed there only.
 */
export function phi(weights: Weights, config: PhiConfig): Graph {
  const { width, numLayers, numHeads, headDim, vocabSize, layerNormEps } = config;
  const g = new GraphBuilder("phi");
  const root = g.at("phi");
  let x = g.input("inputs_embeds", "float32", ["batch", "sequence", width]);
  const pastLength = g.input("past_length", "int64", ["batch"]);
  const logitsRows = g.input("logits_rows", "int64", ["logits"]);
  const past = Array.from({ length: numLayers }, (_, layer) => ({
    key: g.input(`past_key.${layer}`, "float32", ["batch", numHeads, "past", headDim]),
    value: g.input(`past_value.${layer}`, "float32", ["batch", numHeads, "past", headDim]),
  }));
  const step = prepareStep(root.at("step"), x, pastLength, past[0]!.key, config);

  for (let layer = 0; layer < numLayers; layer++) {
    g.stage(`hidden_states.${layer}`, x);
    const at = root.at(`layers.${layer}`);
    const result = decoderLayer(at, weights, x, past[layer]!, step, `phi.layers.${layer}`, config);
    x = result.x;
    g.output(`key.${layer}`, result.key, ["batch", numHeads, "sequence", headDim]);
    g.output(`value.${layer}`, result.value, ["batch", numHeads, "sequence", headDim]);
  }

  x = reshape(root, x, [-1, width]); // (B,S,H) -> (B·S,H)
  x = root.op("Gather", [x, logitsRows], { attributes: { axis: 0 } }); // -> (L,H)
  x = layerNorm(root.at("norm"), weights, x, "phi.norm", width, layerNormEps);
  g.stage(`hidden_states.${numLayers}`, x);
  const logits = linear(root.at("head"), weights, x, "phi.head", width, vocabSize); // -> (L,V)
  g.output("logits", logits, ["logits", vocabSize]);
  return g.build();
}

/** Attention and MLP side by side from one normed input: x + rms(attention(h)) + mlp(h). */
function decoderLayer(
  g: GraphBuilder,
  weights: Weights,
  x: Value,
  past: { key: Value; value: Value },
  step: Step,
  name: string,
  config: PhiConfig,
): { x: Value; key: Value; value: Value } {
  const { width, mlpWidth, layerNormEps, postNormEps } = config;
  const h = layerNorm(g.at("norm"), weights, x, `${name}.norm`, width, layerNormEps);

  const { attended, key, value } = splitAttention(
    g.at("attention"),
    weights,
    h,
    past,
    step,
    `${name}.attention`,
    config,
  );
  const dense = linear(
    g.at("attention/dense"),
    weights,
    attended,
    `${name}.attention.dense`,
    width,
    width,
  );
  const a = rmsNorm(g.at("postNorm"), weights, dense, `${name}.postNorm`, width, postNormEps);

  let m = linear(g.at("fc1"), weights, h, `${name}.mlp.fc1`, width, mlpWidth); // (B,S,H) -> (B,S,M)
  m = geluTanh(g, m);
  m = linear(g.at("fc2"), weights, m, `${name}.mlp.fc2`, mlpWidth, width); // -> (B,S,H)

  return { x: add(g, add(g, x, a, "attention"), m, "mlp"), key, value };
}

/** Scores over the cached and the new positions are computed apart and meet in one softmax. */
function splitAttention(
  g: GraphBuilder,
  weights: Weights,
  h: Value,
  past: { key: Value; value: Value },
  step: Step,
  name: string,
  config: PhiConfig,
): { attended: Value; key: Value; value: Value } {
  const { width, numHeads, headDim } = config;
  const qkv = linear(g.at("qkv"), weights, h, `${name}.qkv`, width, 3 * width); // (B,S,H) -> (B,S,3·H)
  const sizes = g.constant("int64", [width, width, width]);
  const [q, k, v] = g.at("qkv").ops("Split", [qkv, sizes], 3, { attributes: { axis: -1 } });
  const query = headsOf(g.at("query"), weights, q!, step, `${name}.queryNorm`, config); // (B,S,H) -> (B,heads,S,d)
  const key = headsOf(g.at("key"), weights, k!, step, `${name}.keyNorm`, config);
  const value = transposeAxes(
    g.at("value"),
    reshape(g.at("value"), v!, [0, 0, numHeads, headDim]),
    [0, 2, 1, 3],
  );

  const scaled = {
    domain: microsoft,
    attributes: { transB: 1, alpha: { float: headDim ** -0.5 } },
  };
  const pastScores = g.op("FusedMatMul", [query, past.key], { ...scaled, label: "past" }); // (B,heads,S,P)
  const newScores = g.op("FusedMatMul", [query, key], { ...scaled, label: "new" }); // (B,heads,S,S)
  let scores = g.op("Concat", [pastScores, newScores], { attributes: { axis: -1 } }); // (B,heads,S,P+S)
  scores = g.op("Softmax", [add(g, scores, step.mask)], { attributes: { axis: -1 } });
  const [pastWeights, newWeights] = g.ops("Split", [scores, step.splitSizes], 2, {
    attributes: { axis: -1 },
  });

  let attended = add(
    g,
    g.op("MatMul", [pastWeights!, past.value], { label: "past" }),
    g.op("MatMul", [newWeights!, value], { label: "new" }),
    "values",
  ); // (B,heads,S,d)
  attended = transposeAxes(g, attended, [0, 2, 1, 3]); // -> (B,S,heads,d)
  return { attended: reshape(g, attended, [0, 0, width]), key, value };
}

/** Splits into heads, norms each (one weight for all heads of a layer), rotates the first entries. */
function headsOf(
  g: GraphBuilder,
  weights: Weights,
  x: Value,
  { positions, cos, sin }: Step,
  norm: string,
  { numHeads, headDim, rotaryDim, layerNormEps }: PhiConfig,
): Value {
  x = reshape(g, x, [0, 0, numHeads, headDim]); // (B,S,H) -> (B,S,heads,d)
  x = layerNorm(g, weights, x, norm, headDim, layerNormEps);
  x = transposeAxes(g, x, [0, 2, 1, 3]); // -> (B,heads,S,d)
  return g.op("RotaryEmbedding", [x, positions, cos, sin], {
    domain: microsoft,
    attributes: { rotary_embedding_dim: rotaryDim, num_heads: numHeads, interleaved: 0 },
  });
}

/** Positions, mask and rotary tables, from the lengths alone. */
function prepareStep(
  g: GraphBuilder,
  x: Value,
  pastLength: Value,
  pastKey: Value,
  config: PhiConfig,
): Step {
  const zero = g.constant("int64", [0], []);
  const one = g.constant("int64", [1], []);
  const sequence = g.op("Shape", [x], {
    dtype: "int64",
    attributes: { start: 1, end: 2 },
    label: "sequence",
  }); // S
  const cached = g.op("Shape", [pastKey], {
    dtype: "int64",
    attributes: { start: 2, end: 3 },
    label: "past",
  }); // P
  const range = (size: Value, label: string) =>
    g.op("Range", [zero, g.op("Squeeze", [size], { label }), one], { label });
  const inputs = range(sequence, "inputs"); // (S)
  const slots = range(cached, "slots"); // (P)

  // Padding may run past the context; its positions only have to be valid.
  const last = g.constant("int64", [config.contextLength - 1]);
  const lengths = reshape(g, pastLength, [-1, 1], "lengths"); // (B) -> (B,1)
  const positions = g.op("Min", [add(g, lengths, inputs, "positions"), last]); // (B,S)

  const hidden = g.constant("float32", [masked]);
  const seen = g.constant("float32", [0]);
  const pastSeen = g.op("Less", [slots, lengths], { dtype: "bool", label: "past" }); // (B,P)
  let pastMask = g.op("Where", [pastSeen, seen, hidden], { dtype: "float32", label: "past" }); // (B,P)
  pastMask = g.op("Unsqueeze", [pastMask, g.constant("int64", [1, 2])]); // (B,1,1,P)
  const rows = reshape(g, inputs, [-1, 1], "rows"); // (S,1)
  const future = g.op("Greater", [inputs, rows], { dtype: "bool" }); // (S,S)
  const newMask = g.op("Where", [future, hidden, seen], { dtype: "float32", label: "new" }); // (S,S)

  // Both to (B,1,S,·), then side by side.
  const unit = g.constant("int64", [1]);
  const batch = g.op("Shape", [x], {
    dtype: "int64",
    attributes: { start: 0, end: 1 },
    label: "batch",
  });
  const expand = (value: Value, size: Value, label: string) =>
    g.op(
      "Expand",
      [
        value,
        g.op("Concat", [batch, unit, sequence, size], {
          attributes: { axis: 0 },
          label: `${label}Shape`,
        }),
      ],
      { label },
    );
  const mask = g.op(
    "Concat",
    [expand(pastMask, cached, "pastMask"), expand(newMask, sequence, "newMask")],
    {
      attributes: { axis: -1 },
      label: "mask",
    },
  );

  const splitSizes = g.op("Concat", [cached, sequence], {
    attributes: { axis: 0 },
    label: "splitSizes",
  });
  return { positions, mask, splitSizes, ...rotaryTables(g, config) };
}

/** cos and sin of position · theta^(-2i/rotaryDim), (context, rotaryDim/2); kept in float32, not rounded to half. */
function rotaryTables(g: GraphBuilder, { contextLength, rotaryDim, ropeTheta }: PhiConfig) {
  const half = rotaryDim / 2;
  const table = (name: string, f: (angle: number) => number) =>
    g.initializer({
      name: `phi.rotary.${name}`,
      dtype: "float32",
      shape: [contextLength, half],
      load: async () => {
        const values = new Float32Array(contextLength * half);
        for (let position = 0; position < contextLength; position++)
          for (let i = 0; i < half; i++) {
            // float32 at each step, as torch computes it
            const frequency = Math.fround(1 / Math.fround(ropeTheta ** ((2 * i) / rotaryDim)));
            values[position * half + i] = f(Math.fround(position * frequency));
          }
        return asBytes(values);
      },
    });
  return { cos: table("cos", Math.cos), sin: table("sin", Math.sin) };
}
