import { join } from "node:path";
import { readModel } from "@tinygptv/graph/disk";
import type { Component } from "@tinygptv/model";
import type { ModelFiles } from "tinygptv/parts";

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
