import type { Graph } from "@tinygptv/graph";
import { byteLength } from "@tinygptv/model";
import { linearLayers } from "@tinygptv/network";
import { createStatistics } from "./observe.ts";
import { walkBlocks, type Sample, type WalkOptions } from "./walk.ts";

/**
 * Relative error of a layer's output above which one 8-bit range is too coarse
 * for its inputs. Layers without outliers stay below 0.03; a few channels fifty
 * times as large as the others make it 0.09.
 */
const coarse = 0.04;

/**
 * Finds the layers whose inputs have outliers: values so large that an 8-bit
 * range over all inputs, as DynamicQuantizeMatMul uses it, leaves too few steps
 * for the others.
 * @param samples inputs of the graph for a few pictures
 */
export async function findOutliers(
  graph: Graph,
  samples: readonly Sample[],
  options: WalkOptions,
): Promise<Set<string>> {
  const outliers = new Set<string>();
  await walkBlocks(graph, samples, options, async (block) => {
    const layers = linearLayers(block.graph);
    const statistics = createStatistics(block.graph);
    const probes = layers.map(({ name, matMul, weight }) => {
      const [x, w] = matMul.inputs as [string, string];
      return {
        name,
        width: weight.shape[0]!,
        least: statistics.least(x),
        largest: statistics.largest(x),
        weight: statistics.meanSquare(w),
        output: statistics.meanSquare(matMul.outputs[0]!),
      };
    });
    await block.run(statistics.build(), (results) => {
      for (const { name, width, least, largest, weight, output } of probes) {
        const [from, to] = [results[least]![0]!, results[largest]![0]!];
        const step = (Math.max(0, to) - Math.min(0, from)) / 255;
        // Rounding is off by step/√12; a product sums `width` such errors times a weight each.
        const noise = ((step * step) / 12) * width * results[weight]![0]!;
        if (Math.sqrt(noise / results[output]![0]!) > coarse) outliers.add(name);
      }
    });
    for (const { weight } of layers) options.onBytes(byteLength("float32", weight.shape));
    return block.graph;
  });
  return outliers;
}
