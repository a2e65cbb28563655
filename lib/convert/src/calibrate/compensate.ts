import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Graph } from "@tinygptv/graph";
import { byteLength, transpose, viewAs } from "@tinygptv/model";
import { throwIfAborted } from "@tinygptv/protocol";
import type { BlockwiseWeight } from "../quantize/blockwise.ts";
import { quantizeCompensated, rangeCount } from "../quantize/gptq.ts";
import { linearLayers } from "@tinygptv/network";
import { loadFloats } from "../quantize/operators.ts";
import { quantizeGraph } from "../quantize/quantize.ts";
import { methodFor, type Recipe } from "../quantize/registry.ts";
import { createStatistics } from "./observe.ts";
import { walkBlocks, type Sample, type WalkOptions } from "./walk.ts";

/**
 * Rounds the calibrated layers of a recipe with error compensation, block by
 * block. Each block is calibrated on what the quantized blocks before it give,
 * so that it makes up for their errors too.
 * @param samples inputs of the graph for the calibration prompts, pictures among them
 * @returns layer name -> its weight, which waits in the scratch folder
 */
export async function compensate(
  graph: Graph,
  recipe: Recipe,
  samples: readonly Sample[],
  options: WalkOptions,
): Promise<Map<string, () => Promise<BlockwiseWeight>>> {
  const calibrated = new Map<string, () => Promise<BlockwiseWeight>>();
  await walkBlocks(graph, samples, options, async (block) => {
    const statistics = createStatistics(block.graph);
    const layers = linearLayers(block.graph).flatMap((layer) => {
      const method = methodFor(recipe, layer.name);
      if (method.kind !== "calibrated") return [];
      const { format } = method;
      const ranges = rangeCount(layer.weight.shape[0]!, format.blockSize);
      return [{ ...layer, format, gram: statistics.gram(layer, ranges) }];
    });
    const sums = new Map<string, Float32Array>();
    await block.run(statistics.build(), (results) => {
      for (const [name, values] of Object.entries(results)) addTo(sums, name, values);
    });

    for (const { name, weight, format, gram: inputs } of layers) {
      throwIfAborted(options.signal);
      const [width, out] = weight.shape as [number, number];
      const rows = transpose(await loadFloats(weight), width, out); // [in,out] -> [out,in]
      const xx = sums.get(inputs)!;
      const rounded = quantizeCompensated(name, rows, out, format, xx);
      calibrated.set(name, await store(join(options.scratch, String(calibrated.size)), rounded));
      options.onBytes(byteLength("float32", weight.shape));
    }
    return quantizeGraph(block.graph, recipe, { calibrated });
  });
  return calibrated;
}

function addTo(sums: Map<string, Float32Array>, name: string, values: Float32Array): void {
  const sum = sums.get(name);
  if (!sum) return void sums.set(name, values);
  for (let i = 0; i < sum.length; i++) sum[i]! += values[i]!;
}

async function store(
  path: string,
  { codes, scales }: BlockwiseWeight,
): Promise<() => Promise<BlockwiseWeight>> {
  await writeFile(`${path}.codes`, codes);
  await writeFile(`${path}.scales`, new Uint8Array(scales.buffer));
  return async () => ({
    codes: await readFile(`${path}.codes`),
    scales: viewAs(Float32Array, await readFile(`${path}.scales`)),
  });
}
