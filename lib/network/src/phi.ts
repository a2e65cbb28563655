/**
 * Phi-2 with the reference's changes (LayerNorm on queries and keys, RMS norm
 * after attention), LoRA already merged, in forward order.
 * Source: the reference's own `modeling_phi.py`.
 *
 * One graph serves prefill, chunked prefill, decoding, ragged batches and beams.
 * How attention reaches the positions before depends on where it runs:
 * splitAttention.ts for processors, inPlaceAttention.ts and groupedAttention.ts
 * for GPUs.
 */
import { GraphBuilder } from "@tinygptv/graph";
import type { Graph, Value } from "@tinygptv/graph";
import type { PhiConfig } from "@tinygptv/model";
import { B, S, type AttentionForm, type CachedAttention } from "./attention.ts";
import { add, geluTanh, inPrecision, layerNorm, linear, rmsNorm } from "./layers.ts";
import { splitAttention } from "./splitAttention.ts";
import type { Precision, Weights } from "./weights.ts";

/** Positions that logits are wanted at. */
const L = "logits";

/**
 * inputs_embeds (B,S,H), logits_rows (L) int64, and what the form of attention
 * takes -> logits (L,V), and what that gives.
 *
 * `logits_rows` are indices into the B·S inputs: logits are computed there only.
 *
 * @param precision of what attention and MLP compute; what they add to, and what is normed, stays float32,
 *   since in half the sums over the layers overflow
 */
export function phi(
  weights: Weights,
  config: PhiConfig,
  form: AttentionForm = splitAttention,
  precision: Precision = "float32",
): Graph {
  const { width: H, numLayers, vocabSize: V } = config;
  const g = new GraphBuilder("phi");
  const root = g.at("phi");
  const embeds = g.input("inputs_embeds", "float32", [B, S, H]);
  const logitsRows = g.input("logits_rows", "int64", [L]);
  const attention = form({ root, weights, config, embeds, precision });

  let x = attention.rows;
  for (let layer = 0; layer < numLayers; layer++) {
    g.stage(`hidden_states.${layer}`, x);
    x = decoderLayer(root.at(`layers.${layer}`), weights, x, layer, attention, config, precision);
    g.endBlock(x);
  }

  x = root.op("Gather", [x, logitsRows], { attributes: { axis: 0 } }).is(L, H);
  x = layerNorm(root.at("norm"), weights, x, "phi.norm", config.layerNormEps);
  g.stage(`hidden_states.${numLayers}`, x);
  x = inPrecision(root.at("head"), x, precision, "narrow");
  const logits = linear(root.at("head"), weights, x, "phi.head", V).is(L, V);
  g.output("logits", inPrecision(root.at("head"), logits, "float32", "widen"));
  return g.build();
}

/**
 * Attention and MLP side by side from one normed input: x + rms(attention(h)) + mlp(h). (N,H) -> (N,H)
 * @param dropped what training does to both before they are added
 */
export function decoderLayer(
  g: GraphBuilder,
  weights: Weights,
  x: Value,
  layer: number,
  attention: CachedAttention,
  config: PhiConfig,
  precision: Precision,
  dropped: (value: Value, place: string) => Value = (value) => value,
): Value {
  const { width: H, mlpWidth: M, layerNormEps, postNormEps } = config;
  const name = `phi.layers.${layer}`;
  const N = x.shape[0]!;
  let h = layerNorm(g.at("norm"), weights, x, `${name}.norm`, layerNormEps);
  h = inPrecision(g, h, precision, "narrow");

  let a = attention.attend(g.at("attention"), h, layer, `${name}.attention`).is(N, H);
  a = linear(g.at("attention/dense"), weights, a, `${name}.attention.dense`, H);
  a = rmsNorm(g.at("postNorm"), weights, a, `${name}.postNorm`, postNormEps);
  a = dropped(a, "attention");

  let m = linear(g.at("fc1"), weights, h, `${name}.mlp.fc1`, M).is(N, M);
  m = geluTanh(g, m);
  m = linear(g.at("fc2"), weights, m, `${name}.mlp.fc2`, H).is(N, H);
  m = dropped(m, "mlp");

  if (precision === "float32") return add(g, add(g, x, a, "attention"), m, "mlp").is(N, H);
  return add(g, x, inPrecision(g, add(g, a, m, "both"), "float32", "widen"), "mlp").is(N, H);
}
