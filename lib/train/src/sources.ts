/** Weights to train from. */
import { join } from "node:path";
import { readModel } from "@tinygptv/graph/disk";
import type { Graph } from "@tinygptv/graph";
import { toFloat32, transpose } from "@tinygptv/model";
import type { Component } from "@tinygptv/model";
import { findSources, openUnmerged, type UnmergedModel } from "@tinygptv/convert";
import { TinyGptvError } from "@tinygptv/protocol";
import { namedWeights, withStoredWeights } from "@tinygptv/network";
import { graphsOf, type ModelFiles } from "tinygptv/parts";
import type { WeightSource } from "./network.ts";

/** Published files to go on from. Errors: as of `convert`. */
export async function openCheckpoint({
  folder,
  file,
}: {
  readonly folder: string;
  readonly file?: string | undefined;
}): Promise<UnmergedModel> {
  const given = file === undefined ? {} : { checkpoint: file };
  const { paths, settings } = await findSources(folder, given);
  return openUnmerged({ sources: paths, ...(settings && { settings }) });
}

/** Published files: the base with LoRA beside it, which training goes on with. */
export function fromCheckpoint({ config, weights, loraWeights }: UnmergedModel): WeightSource {
  return {
    config,
    weights,
    fill: (graph) => graph,
    async start(name, shape) {
      const isLora = /\.lora[AB]$/.test(name);
      return (isLora ? loraWeights.get(name) : weights(name, shape))?.load();
    },
  };
}

/**
 * A converted model in one of its levels: what it is, LoRA included, is frozen as
 * it is stored, and new LoRA begins beside it (QLoRA where the level is quantized).
 */
export async function fromModel(model: ModelFiles): Promise<WeightSource> {
  const { folder, manifest } = model;
  const read = (files: Readonly<Record<Component, string>>, component: Component) =>
    readModel(join(folder, files[component]));
  const stored = {
    mapping: await read(model.files, "mapping"),
    phi: await read(model.files, "phi"),
  };
  return {
    config: manifest.config,
    weights: namedWeights,
    fill: (graph, component) => withStoredWeights(graph, stored[component as keyof typeof stored]),
    async start(name, shape) {
      if (/\.lora[AB]$/.test(name)) return undefined;
      const component = name.startsWith("mapping.") ? "mapping" : "phi";
      // The mapping is trained from floats; an integer level may have it in codes only.
      const levels = Object.keys(manifest.levels);
      for (const files of [model.files, ...levels.map((level) => graphsOf(manifest, level))]) {
        const graph = files === model.files ? stored[component] : await read(files, component);
        const values = await floatsOf(graph, name, shape);
        if (values) return values;
      }
      throw new TinyGptvError(
        "model",
        `${folder}: want ${name} as floating-point numbers to train it, got levels that have it in integers only (${levels.join(", ")}); add one with \`tinygptv convert --level fp16\``,
        { subject: name },
      );
    },
  };
}

/** In PyTorch's orientation. */
async function floatsOf(
  { initializers }: Graph,
  name: string,
  shape: readonly number[],
): Promise<Float32Array | undefined> {
  const found = initializers.get(name) ?? initializers.get(`${name}.half`);
  if (!found) return undefined;
  const values = toFloat32(await found.load(), found.dtype);
  if (shape.length < 2) return Float32Array.from(values);
  const [rows, columns] = found.shape as [number, number];
  return transpose(values, rows, columns);
}
