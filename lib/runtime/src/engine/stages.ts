/** A model's graphs run once, with the stages of the reference's forward pass among what they return. */
import { dirname, join } from "node:path";
import { stagesAsOutputs } from "@tinygptv/graph";
import { readModel } from "@tinygptv/graph/disk";
import type { SessionTensor } from "@tinygptv/graph/session";
import { transpose } from "@tinygptv/model";
import type { Component } from "@tinygptv/model";
import { feedsFromNothing, inPlaceFeedsFromNothing } from "@tinygptv/network/feeds";
import { deviceGraph } from "../session/deviceGraphs.ts";
import { openSession } from "../session/runtime.ts";
import type { GraphOptions } from "./openGraph.ts";
import type { ModelFiles } from "./modelFiles.ts";

type Results = Record<string, Float32Array>;

/** The form that is right everywhere, whatever answers are computed in. */
const plainForm = { attention: "inPlace", precision: "float32" } as const;

/** Runs a component once. @returns outputs and stages by name */
export async function runWithStages(
  { folder, manifest, files }: ModelFiles,
  component: Component,
  feeds: Readonly<Record<string, SessionTensor>>,
  { execution, openSession: open = openSession }: GraphOptions = {},
): Promise<Results> {
  const path = join(folder, files[component]);
  const stored = await readModel(path);
  const device = execution?.provider === "webgpu" ? execution.device : undefined;
  const { graph, names } = stagesAsOutputs(
    device ? deviceGraph(component, stored, manifest.config, plainForm) : stored,
  );
  const onCuda = execution?.provider === "cuda" && component !== "phi";
  const session = await (device?.open(graph, dirname(path)) ??
    open({ graph, folder: dirname(path) }, { onCuda }));
  const results = await session.run(feeds, [...names.values()]).finally(() => session.release());
  return Object.fromEntries([...names].map(([stage, output]) => [stage, results[output]!]));
}

/**
 * Runs the language model over one prompt with nothing before it.
 * @param embeds [positions, width]
 * @returns outputs and stages by name; key.N and value.N as [heads, positions, headDim]
 */
export async function runPromptWithStages(
  model: ModelFiles,
  embeds: Float32Array,
  options: GraphOptions = {},
): Promise<Results> {
  const config = model.manifest.config.phi;
  if (options.execution?.provider !== "webgpu")
    return runWithStages(model, "phi", feedsFromNothing(embeds, config), options);
  const feeds = inPlaceFeedsFromNothing(embeds, config);
  const results = await runWithStages(model, "phi", feeds, options);
  const { width, numLayers, numHeads, headDim } = config;
  const length = embeds.length / width;
  for (let layer = 0; layer < numLayers; layer++) {
    const key = results[`key.${layer}`]!; // [heads, headDim, positions]
    const size = headDim * length;
    const rows = new Float32Array(key.length);
    for (let head = 0; head < numHeads; head++)
      rows.set(
        transpose(key.subarray(head * size, (head + 1) * size), headDim, length),
        head * size,
      );
    results[`key.${layer}`] = rows;
  }
  return results;
}
