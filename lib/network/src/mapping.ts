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

/** Pictures. */
const N = "batch";

/** image_embeds (N,Q,D) -> image_features (N,Q,H). No activation between or after: the published mapping is linear. */
export function mapping(weights: Weights, config: MappingConfig): Graph {
  const { queryTokens: Q, inWidth: D, width: M, outWidth: H } = config;
  const g = new GraphBuilder("mapping");
  const root = g.at("mapping");
  let x = g.input("image_embeds", "float32", [N, Q, D]);
  x = linear(root.at("fc1"), weights, x, "mapping.fc1", M).is(N, Q, M);
  g.stage("llama_proj", x);
  x = linear(root.at("fc2"), weights, x, "mapping.fc2", H).is(N, Q, H);
  g.stage("image_tokens", x);
  g.output("image_features", x);
  return g.build();
}
