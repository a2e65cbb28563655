/** Sessions over a model's graphs that also return the stages of the reference's forward pass. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exposeStages, readModel } from "@tinygptv/graph";
import type { Component, Manifest } from "@tinygptv/model";
import { openSession, threadsFor } from "tinygptv/parts";
import type { SessionTensor } from "@tinygptv/graph";

/** Runs a component once and returns its outputs and stages by name. */
export async function runWithStages(
  folder: string,
  manifest: Manifest,
  level: string,
  component: Component,
  feeds: Readonly<Record<string, SessionTensor>>,
): Promise<Record<string, Float32Array>> {
  const path = join(folder, manifest.levels[level]![component]);
  const { bytes, outputs } = exposeStages(await readFile(path));
  // ONNX Runtime finds external data only beside the graph, not through links.
  const copy = `${path}.verify-${process.pid}.onnx`;
  await writeFile(copy, bytes);
  try {
    const session = await openSession(copy, { threads: threadsFor(manifest.config) });
    const results = await session
      .run(feeds, [...outputs.values()])
      .finally(() => session.release());
    return Object.fromEntries([...outputs].map(([stage, output]) => [stage, results[output]!]));
  } finally {
    await rm(copy, { force: true });
  }
}

/** A parameter as it stands in a graph, or undefined where the level stores it in another form. */
export async function readInitializer(
  folder: string,
  manifest: Manifest,
  level: string,
  component: Component,
  name: string,
): Promise<{ values: Float32Array; shape: readonly number[] } | undefined> {
  const graph = await readModel(join(folder, manifest.levels[level]![component]));
  const initializer = graph.initializers.get(name);
  if (initializer?.dtype !== "float32") return undefined;
  const bytes = await initializer.load();
  return { values: new Float32Array(bytes.slice().buffer), shape: initializer.shape };
}
