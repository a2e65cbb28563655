/** A recipe applied to a graph: float32 graph in, quantized graph out. Nothing is computed before the file is written. */
import type { Graph } from "@tinygptv/graph";
import { TinyGptvError } from "@tinygptv/protocol";
import type { BlockwiseWeight } from "./blockwise.ts";
import { storeFloat16 } from "./float16.ts";
import { linearLayers, replaceLinearLayers, type LinearOperator } from "@tinygptv/network";
import { blockwiseOperator, dynamicOperator } from "./operators.ts";
import { methodFor, type Recipe } from "./registry.ts";

/** What running the graph has told about its layers, by layer name. */
export interface LayerFindings {
  /** Layers whose inputs a single 8-bit range does not fit. */
  readonly outliers?: ReadonlySet<string>;
  /** Weights rounded with calibration. */
  readonly calibrated?: ReadonlyMap<string, () => Promise<BlockwiseWeight>>;
}

/** @throws TinyGptvError `parameter` where a calibrated recipe lacks a layer's calibrated weight. */
export function quantizeGraph(graph: Graph, recipe: Recipe, findings: LayerFindings = {}): Graph {
  if (recipe.layers.kind === "float16") return storeFloat16(graph);
  const operators = new Map<string, LinearOperator>();
  for (const layer of linearLayers(graph)) {
    const method = methodFor(recipe, layer.name);
    if (method.kind === "blockwise")
      operators.set(layer.name, blockwiseOperator(layer, method.format));
    if (method.kind === "dynamic")
      operators.set(
        layer.name,
        findings.outliers?.has(layer.name)
          ? blockwiseOperator(layer, method.fallback)
          : dynamicOperator(layer),
      );
    if (method.kind === "calibrated") {
      const load = findings.calibrated?.get(layer.name);
      if (!load)
        throw new TinyGptvError(
          "parameter",
          `${layer.name}: want a calibrated weight, got none: this level needs pictures and prompts to calibrate with`,
          { subject: layer.name },
        );
      operators.set(layer.name, blockwiseOperator(layer, method.format, load));
    }
  }
  return replaceLinearLayers(graph, operators);
}
