/**
 * The language model in parts, as it is trained: a layer at a time, over whole
 * sequences, and the loss behind the last one.
 */
import { GraphBuilder } from "@tinygptv/graph";
import type { Graph } from "@tinygptv/graph";
import type { PhiConfig } from "@tinygptv/model";
import { B, S, inputs } from "./attention.ts";
import { layerNorm, linear, reshape } from "./layers.ts";
import { decoderLayer } from "./phi.ts";
import { wholeAttention } from "./wholeAttention.ts";
import type { Weights } from "./weights.ts";

/** Positions that have a target. */
const L = "targets";

/**
 * hidden (B,S,H), positions (B,S) int64, mask (B,1,S,S) -> output (B,S,H)
 * @param dropout whether `dropout.attention` and `dropout.mlp` (B·S,H), 0 or 1/(1 − rate), are inputs too
 */
export function phiLayer(
  weights: Weights,
  config: PhiConfig,
  layer: number,
  { dropout = false } = {},
): Graph {
  const { width: H } = config;
  const g = new GraphBuilder("layer");
  const root = g.at("layer");
  const embeds = g.input("hidden", "float32", [B, S, H]);
  const precision = "float32";
  const attention = wholeAttention({ root, weights, config, embeds, precision });
  const x = decoderLayer(
    root,
    weights,
    attention.rows,
    layer,
    attention,
    config,
    precision,
    (value, place) => {
      if (!dropout) return value;
      const kept = g.input(`dropout.${place}`, "float32", [inputs, H]);
      return root.at("dropout").op("Mul", [value, kept], { label: place });
    },
  );
  const sizes = root.op("Shape", [embeds], { label: "output" });
  g.output("output", root.op("Reshape", [x, sizes], { label: "output" }).is(B, S, H));
  return g.build();
}

/**
 * hidden (B,S,H) of the last layer, rows (L) int64 into its B·S positions, targets (L,1) int64, scale (1)
 * -> loss (1,1): the sum of the targets' log-probabilities times scale;
 *    log_probabilities (L,1); better (L,1): how many tokens are more probable than each target
 */
export function phiLoss(weights: Weights, config: PhiConfig): Graph {
  const { width: H, vocabSize: V, layerNormEps } = config;
  const g = new GraphBuilder("loss");
  const root = g.at("loss");
  const hidden = g.input("hidden", "float32", [B, S, H]);
  const rows = g.input("rows", "int64", [L]);
  const targets = g.input("targets", "int64", [L, 1]);
  const scale = g.input("scale", "float32", [1]);

  let x = reshape(root, hidden, [inputs, H]);
  x = root.op("Gather", [x, rows], { attributes: { axis: 0 } }).is(L, H);
  x = layerNorm(root.at("norm"), weights, x, "phi.norm", layerNormEps);
  const logits = linear(root.at("head"), weights, x, "phi.head", V).is(L, V);
  const all = root.op("LogSoftmax", [logits], { attributes: { axis: -1 } });
  const own = root.op("GatherElements", [all, targets], { attributes: { axis: -1 } }).is(L, 1);
  const scaled = root.op("Mul", [own, scale]);
  g.output("loss", root.op("ReduceSum", [scaled, root.constant("int64", [0, 1])]).is(1, 1));
  g.output("log_probabilities", own);
  const above = root.op("Cast", [root.op("Greater", [all, own])], { attributes: { to: 1 } });
  g.output(
    "better",
    root.op("ReduceSum", [above, root.constant("int64", [1])], { label: "better" }),
  );
  return g.build();
}
