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
  attention,
  expandLike,
  gelu,
  layerNorm,
  linear,
  matMul,
  reshape,
  transposeAxes,
} from "./layers.ts";
import { asInitializer, type Weights } from "./weights.ts";

/** pixel_values (N,3,S,S) -> vision_states (N,T,D) */
export function evaVit(weights: Weights, config: VisionConfig): Graph {
  const { imageSize, patchSize, width, depth } = config;
  const grid = imageSize / patchSize;
  const tokens = visionTokens(config);
  const g = new GraphBuilder("vision");
  const root = g.at("vision");
  const pixelValues = g.input("pixel_values", "float32", ["batch", 3, imageSize, imageSize]);

  const embedding = root.at("patchEmbedding");
  const kernel = weights("vision.patchEmbedding.weight", [width, 3, patchSize, patchSize]);
  const bias = weights("vision.patchEmbedding.bias", [width]);
  let x = embedding.op(
    "Conv",
    [pixelValues, g.initializer(asInitializer(kernel)), g.initializer(asInitializer(bias))],
    { attributes: { kernel_shape: [patchSize, patchSize], strides: [patchSize, patchSize] } },
  ); // (N,3,S,S) -> (N,D,G,G)
  x = reshape(embedding, x, [0, width, grid * grid]); // -> (N,D,G·G)
  x = transposeAxes(embedding, x, [0, 2, 1]); // -> (N,G·G,D)

  const classToken = g.initializer(asInitializer(weights("vision.classToken", [1, 1, width])));
  const classTokens = expandLike(root.at("classToken"), classToken, x, [1, width]); // (1,1,D) -> (N,1,D)
  x = root.op("Concat", [classTokens, x], { attributes: { axis: 1 } }); // -> (N,T,D)
  const positions = weights("vision.positionEmbedding", [1, tokens, width]);
  x = add(root, x, g.initializer(asInitializer(positions)), "positions");
  g.stage("vit.patch_pos", x);

  for (let layer = 0; layer < depth; layer++) {
    x = block(root.at(`blocks.${layer}`), weights, x, `vision.blocks.${layer}`, config);
    if (layer === 0) g.stage("vit.block0", x);
  }
  g.stage("vit.output", x);

  x = layerNorm(root.at("norm"), weights, x, "vision.norm", width, config.finalNormEps);
  g.stage("ln_vision", x);
  g.output("vision_states", x, ["batch", tokens, width]);
  return g.build();
}

/** Pre-norm transformer block; no relative positions, no layer scale. (N,T,D) -> (N,T,D) */
function block(
  g: GraphBuilder,
  weights: Weights,
  x: Value,
  name: string,
  { width, numHeads, mlpWidth, normEps }: VisionConfig,
): Value {
  let h = layerNorm(g.at("norm1"), weights, x, `${name}.norm1`, width, normEps);
  h = matMul(g.at("qkv"), weights, h, `${name}.attention.qkv`, width, 3 * width); // (N,T,D) -> (N,T,3·D)
  // Queries and values have a bias, keys have none: (q_bias, zeros, v_bias).
  const bias = weights(`${name}.attention.qkv.bias`, [3 * width]);
  h = add(g.at("qkv"), h, g.initializer(asInitializer(bias)));
  const sizes = g.constant("int64", [width, width, width]);
  const [q, k, v] = g.ops("Split", [h, sizes], 3, { attributes: { axis: -1 } });
  h = attention(g, q!, k!, v!, numHeads);
  x = add(
    g,
    x,
    linear(g.at("proj"), weights, h, `${name}.attention.proj`, width, width),
    "attention",
  );

  h = layerNorm(g.at("norm2"), weights, x, `${name}.norm2`, width, normEps);
  h = linear(g.at("fc1"), weights, h, `${name}.mlp.fc1`, width, mlpWidth); // -> (N,T,M)
  h = gelu(g, h);
  return add(g, x, linear(g.at("fc2"), weights, h, `${name}.mlp.fc2`, mlpWidth, width), "mlp");
}
