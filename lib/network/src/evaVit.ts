/**
 * EVA ViT-g and the LayerNorm behind it, in forward order.
 * Source: reference `eva_vit.py` and `mini_gpt4.py` (see docs/architecture.md).
 */
import { GraphBuilder } from "@tinygptv/graph";
import type { Graph, Value } from "@tinygptv/graph";
import { visionTokens } from "@tinygptv/model";
import type { VisionConfig } from "@tinygptv/model";
import {
  add,
  expandLike,
  fusedAttention,
  gelu,
  layerNorm,
  linear,
  matMul,
  parameter,
  reshape,
  splitInThree,
  transposeAxes,
  type Attention,
} from "./layers.ts";
import type { Weights } from "./weights.ts";

/** Pictures. */
const N = "batch";

/** pixel_values (N,3,S,S) -> vision_states (N,T,D) */
export function evaVit(
  weights: Weights,
  config: VisionConfig,
  attention: Attention = fusedAttention,
): Graph {
  const { imageSize: S, patchSize, width: D, depth } = config;
  const G = S / patchSize;
  const T = visionTokens(config);
  const g = new GraphBuilder("vision");
  const root = g.at("vision");
  const pixelValues = g.input("pixel_values", "float32", [N, 3, S, S]);

  const embedding = root.at("patchEmbedding");
  const kernel = [D, 3, patchSize, patchSize];
  let x = embedding.op(
    "Conv",
    [
      pixelValues,
      parameter(g, weights, "vision.patchEmbedding.weight", kernel),
      parameter(g, weights, "vision.patchEmbedding.bias", [D]),
    ],
    { attributes: { kernel_shape: [patchSize, patchSize], strides: [patchSize, patchSize] } },
  );
  x = x.is(N, D, G, G);
  x = reshape(embedding, x, [N, D, G * G]);
  x = transposeAxes(embedding, x, [0, 2, 1]).is(N, G * G, D);

  const classToken = parameter(g, weights, "vision.classToken", [1, 1, D]);
  const classTokens = expandLike(root.at("classToken"), classToken, x).is(N, 1, D);
  x = root.op("Concat", [classTokens, x], { attributes: { axis: 1 } }).is(N, T, D);
  x = add(root, x, parameter(g, weights, "vision.positionEmbedding", [1, T, D]), "positions");
  g.stage("vit.patch_pos", x);

  for (let layer = 0; layer < depth; layer++) {
    x = block(root.at(`blocks.${layer}`), weights, x, `vision.blocks.${layer}`, config, attention);
    g.endBlock(x);
    if (layer === 0) g.stage("vit.block0", x);
  }
  g.stage("vit.output", x);

  x = layerNorm(root.at("norm"), weights, x, "vision.norm", config.finalNormEps).is(N, T, D);
  g.stage("ln_vision", x);
  g.output("vision_states", x);
  return g.build();
}

/** Pre-norm transformer block; no relative positions, no layer scale. (N,T,D) -> (N,T,D) */
function block(
  g: GraphBuilder,
  weights: Weights,
  x: Value,
  name: string,
  config: VisionConfig,
  attention: Attention,
): Value {
  const { width: D, numHeads, mlpWidth: M, normEps } = config;
  const T = visionTokens(config);
  let h = layerNorm(g.at("norm1"), weights, x, `${name}.norm1`, normEps);
  h = matMul(g.at("qkv"), weights, h, `${name}.attention.qkv`, 3 * D).is(N, T, 3 * D);
  // Queries and values have a bias, keys have none: (q_bias, zeros, v_bias).
  h = add(g.at("qkv"), h, parameter(g, weights, `${name}.attention.qkv.bias`, [3 * D]));
  const [q, k, v] = splitInThree(g, h);
  h = attention(g, q, k, v, numHeads).is(N, T, D);
  h = linear(g.at("proj"), weights, h, `${name}.attention.proj`, D);
  x = add(g, x, h, "attention");

  h = layerNorm(g.at("norm2"), weights, x, `${name}.norm2`, normEps);
  h = linear(g.at("fc1"), weights, h, `${name}.mlp.fc1`, M).is(N, T, M);
  h = gelu(g, h);
  h = linear(g.at("fc2"), weights, h, `${name}.mlp.fc2`, D);
  return add(g, x, h, "mlp").is(N, T, D);
}
