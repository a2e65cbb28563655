/** A model's graphs run once, with the stages of the reference's forward pass among what they return. */
import { dirname, join } from "node:path";
import { readModel, stagesAsOutputs } from "@tinygptv/graph";
import type { Session, SessionTensor } from "@tinygptv/graph/session";
import { transpose } from "@tinygptv/model";
import type { Component } from "@tinygptv/model";
import { feedsFromNothing, inPlaceFeedsFromNothing } from "@tinygptv/network/feeds";
import { deviceGraph } from "../session/deviceGraphs.ts";
import { openInMemory } from "../session/runtime.ts";
import type { GraphOptions } from "./openGraph.ts";
import type { ModelFiles } from "./modelFiles.ts";

type Results = Record<string, Float32Array>;

/** Runs a component once. @returns outputs and stages by name */
export async function runWithStages(
  { folder, manifest, files }: ModelFiles,
  component: Component,
  feeds: Readonly<Record<string, SessionTensor>>,
  { execution }: Pick<GraphOptions, "execution"> = {},
): Promise<Results> {
  const path = join(folder, files[component]);
  const stored = await readModel(path);
  let session: Session;
  let names: ReadonlyMap<string, string>;
  if (execution?.provider === "webgpu") {
    // In the form that is right everywhere, whatever answers are computed in.
    const form = { attention: "inPlace", precision: "float32" } as const;
    const exposed = stagesAsOutputs(deviceGraph(component, stored, manifest.config, form));
    names = exposed.names;
    session = await execution.device.open(exposed.graph, dirname(path));
  } else {
    const exposed = stagesAsOutputs(stored);
    names = exposed.names;
    session = await openInMemory(exposed.graph, dirname(path));
  }
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
  options: Pick<GraphOptions, "execution"> = {},
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
