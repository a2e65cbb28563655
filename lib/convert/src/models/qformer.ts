/**
 * Q-Former: BERT layers over learned query tokens that look at the picture by
 * cross-attention. Only the query branch exists; there is no text branch and no pooler.
 * Source: reference `Qformer.py`.
 */
import { GraphBuilder } from "@tinygptv/graph";
import type { Graph, Value } from "@tinygptv/graph";
import type { QformerConfig } from "@tinygptv/model";
import { add, attention, expandLike, gelu, layerNorm, linear } from "./layers.ts";
import { asInitializer, type Weights } from "./weights.ts";

/** vision_states (N,T,Dv) -> image_embeds (N,Q,D) */
export function qformer(
  weights: Weights,
  config: QformerConfig,
  vision: { width: number; tokens: number },
): Graph {
  const { width, numQueryTokens, numLayers, crossAttentionFrequency, layerNormEps } = config;
  const g = new GraphBuilder("qformer");
  const root = g.at("qformer");
  const visionStates = g.input("vision_states", "float32", ["batch", vision.tokens, vision.width]);

  const queries = weights("qformer.queryTokens", [1, numQueryTokens, width]);
  let x = g.initializer(asInitializer(queries));
  // Queries get no position or type embeddings.
  x = layerNorm(root.at("norm"), weights, x, "qformer.norm", width, layerNormEps);
  x = expandLike(root.at("queries"), x, visionStates, [numQueryTokens, width]); // (1,Q,D) -> (N,Q,D)

  for (let layer = 0; layer < numLayers; layer++) {
    const at = root.at(`layers.${layer}`);
    const name = `qformer.layers.${layer}`;
    x = attend(at.at("attention"), weights, x, x, `${name}.attention`, width, config);
    if (layer % crossAttentionFrequency === 0) {
      const cross = `${name}.crossAttention`;
      x = attend(at.at("crossAttention"), weights, x, visionStates, cross, vision.width, config);
    }
    x = feedForward(at.at("mlp"), weights, x, `${name}.mlp`, config);
  }
  g.stage("qformer", x);
  g.output("image_embeds", x, ["batch", numQueryTokens, width]);
  return g.build();
}

/** Post-norm attention: LN(out(attention(x, keys)) + x). x (N,Q,D), keys (N,T,Dk) -> (N,Q,D) */
function attend(
  g: GraphBuilder,
  weights: Weights,
  x: Value,
  keys: Value,
  name: string,
  keyWidth: number,
  { width, numHeads, layerNormEps }: QformerConfig,
): Value {
  const q = linear(g.at("query"), weights, x, `${name}.query`, width, width);
  const k = linear(g.at("key"), weights, keys, `${name}.key`, keyWidth, width);
  const v = linear(g.at("value"), weights, keys, `${name}.value`, keyWidth, width);
  let h = attention(g, q, k, v, numHeads);
  h = linear(g.at("output"), weights, h, `${name}.output`, width, width);
  return layerNorm(g.at("norm"), weights, add(g, h, x), `${name}.norm`, width, layerNormEps);
}

/** Post-norm MLP: LN(out(gelu(in(x))) + x). */
function feedForward(
  g: GraphBuilder,
  weights: Weights,
  x: Value,
  name: string,
  { width, mlpWidth, layerNormEps }: QformerConfig,
): Value {
  let h = linear(g.at("fc1"), weights, x, `${name}.fc1`, width, mlpWidth); // (N,Q,D) -> (N,Q,M)
  h = gelu(g, h);
  h = linear(g.at("fc2"), weights, h, `${name}.fc2`, mlpWidth, width); // -> (N,Q,D)
  return layerNorm(g.at("norm"), weights, add(g, h, x), `${name}.norm`, width, layerNormEps);
}
