/** The mapping module: two linear layers from the Q-Former's width to the language model's. */
import { GraphBuilder } from "@tinygptv/graph";
import type { Graph } from "@tinygptv/graph";
import { linear } from "./layers.ts";
import type { Weights } from "./weights.ts";

export interface MappingConfig {
  queryTokens: number;
  inWidth: number;
  width: number;
  outWidth: number;
}

/** image_embeds (N,Q,D) -> image_features (N,Q,H). No activation between or after: the published mapping is linear. */
export function mapping(weights: Weights, config: MappingConfig): Graph {
  const { queryTokens, inWidth, width, outWidth } = config;
  const g = new GraphBuilder("mapping");
  const root = g.at("mapping");
  let x = g.input("image_embeds", "float32", ["batch", queryTokens, inWidth]);
  x = linear(root.at("fc1"), weights, x, "mapping.fc1", inWidth, width); // (N,Q,D) -> (N,Q,M)
  g.stage("llama_proj", x);
  x = linear(root.at("fc2"), weights, x, "mapping.fc2", width, outWidth); // -> (N,Q,H)
  g.stage("image_tokens", x);
  g.output("image_features", x, ["batch", queryTokens, outWidth]);
  return g.build();
}
