/**
 * Q-Former: BERT layers over learned query tokens that look at the picture by
 * cross-attention. Only the query branch exists; there is no text branch and no pooler.
 * Source: reference `Qformer.py`.
 */
import { GraphBuilder } from "@tinygptv/graph";
import type { Graph, Value } from "@tinygptv/graph";
import type { QformerConfig } from "@tinygptv/model";
import {
  add,
  expandLike,
  fusedAttention,
  gelu,
  layerNorm,
  linear,
  parameter,
  type Attention,
} from "./layers.ts";
import type { Weights } from "./weights.ts";

/** Pictures. */
const N = "batch";

/** vision_states (N,T,Dv) -> image_embeds (N,Q,D) */
export function qformer(
  weights: Weights,
  config: QformerConfig,
  vision: { width: number; tokens: number },
  attention: Attention = fusedAttention,
): Graph {
  const { width: D, numQueryTokens: Q, numLayers, crossAttentionFrequency } = config;
  const g = new GraphBuilder("qformer");
  const root = g.at("qformer");
  const visionStates = g.input("vision_states", "float32", [N, vision.tokens, vision.width]);

  let x = parameter(g, weights, "qformer.queryTokens", [1, Q, D]);
  // Queries get no position or type embeddings.
  x = layerNorm(root.at("norm"), weights, x, "qformer.norm", config.layerNormEps);
  x = expandLike(root.at("queries"), x, visionStates).is(N, Q, D);

  for (let layer = 0; layer < numLayers; layer++) {
    const at = root.at(`layers.${layer}`);
    const name = `qformer.layers.${layer}`;
    x = attend(at.at("attention"), weights, x, x, `${name}.attention`, config, attention);
    if (layer % crossAttentionFrequency === 0)
      x = attend(
        at.at("crossAttention"),
        weights,
        x,
        visionStates,
        `${name}.crossAttention`,
        config,
        attention,
      );
    x = feedForward(at.at("mlp"), weights, x, `${name}.mlp`, config);
    g.endBlock(x);
  }
  g.stage("qformer", x);
  g.output("image_embeds", x);
  return g.build();
}

/** Post-norm attention: LN(out(attention(x, keys)) + x). x (N,Q,D), keys (N,T,Dk) -> (N,Q,D) */
function attend(
  g: GraphBuilder,
  weights: Weights,
  x: Value,
  keys: Value,
  name: string,
  { width, numHeads, layerNormEps }: QformerConfig,
  attention: Attention,
): Value {
  const q = linear(g.at("query"), weights, x, `${name}.query`, width);
  const k = linear(g.at("key"), weights, keys, `${name}.key`, width);
  const v = linear(g.at("value"), weights, keys, `${name}.value`, width);
  let h = attention(g, q, k, v, numHeads).is(...x.shape);
  h = linear(g.at("output"), weights, h, `${name}.output`, width);
  return layerNorm(g.at("norm"), weights, add(g, h, x), `${name}.norm`, layerNormEps);
}

/** Post-norm MLP: LN(out(gelu(in(x))) + x). (N,Q,D) -> (N,Q,D) */
function feedForward(
  g: GraphBuilder,
  weights: Weights,
  x: Value,
  name: string,
  { width: D, mlpWidth: M, numQueryTokens: Q, layerNormEps }: QformerConfig,
): Value {
  let h = linear(g.at("fc1"), weights, x, `${name}.fc1`, M).is(N, Q, M);
  h = gelu(g, h);
  h = linear(g.at("fc2"), weights, h, `${name}.fc2`, D).is(N, Q, D);
  return layerNorm(g.at("norm"), weights, add(g, h, x), `${name}.norm`, layerNormEps);
}
