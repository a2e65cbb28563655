/** Sessions over a model's graphs that also return the stages of the reference's forward pass. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exposeStages, readModel } from "@tinygptv/graph";
import type { Component } from "@tinygptv/model";
import { openParts } from "tinygptv/parts";
import type { GraphOptions, ModelFiles } from "tinygptv/parts";
import type { SessionTensor } from "@tinygptv/graph/session";

/** Runs a component once and returns its outputs and stages by name. */
export async function runWithStages(
  model: ModelFiles,
  component: Component,
  feeds: Readonly<Record<string, SessionTensor>>,
  options: GraphOptions,
): Promise<Record<string, Float32Array>> {
  const { folder, files } = model;
  const { bytes, outputs } = exposeStages(await readFile(join(folder, files[component])));
  // ONNX Runtime finds external data only beside the graph, not through links.
  const copy = `${files[component]}.verify-${process.pid}.onnx`;
  await writeFile(join(folder, copy), bytes);
  try {
    const exposed = { ...model, files: { ...files, [component]: copy } };
    const parts = await openParts(exposed, [component], options);
    const results = await parts[component]
      .run(feeds, [...outputs.values()])
      .finally(() => parts.close());
    return Object.fromEntries([...outputs].map(([stage, output]) => [stage, results[output]!]));
  } finally {
    await rm(join(folder, copy), { force: true });
  }
}

/** A parameter as it stands in a graph, or undefined where the level stores it in another form. */
export async function readInitializer(
  { folder, files }: ModelFiles,
  component: Component,
  name: string,
): Promise<{ values: Float32Array; shape: readonly number[] } | undefined> {
  const graph = await readModel(join(folder, files[component]));
  const initializer = graph.initializers.get(name);
  if (initializer?.dtype !== "float32") return undefined;
  const bytes = await initializer.load();
  return { values: new Float32Array(bytes.slice().buffer), shape: initializer.shape };
}
