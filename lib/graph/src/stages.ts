import type { Graph, Port } from "./graph.ts";
import { typesOf } from "./types.ts";

/**
 * Makes the stages of a model outputs too, for comparison with golden data.
 * @returns the changed graph, and stage or output name -> name to fetch it by
 */
export function stagesAsOutputs(graph: Graph): { graph: Graph; names: Map<string, string> } {
  const types = typesOf(graph);
  const inputs = new Set(graph.inputs.map(({ name }) => name));
  const names = new Map(graph.outputs.map(({ name }) => [name, name]));
  const added: Port[] = [];
  for (const [stage, value] of graph.stages) {
    if (inputs.has(value)) continue;
    names.set(stage, value);
    const isThere = [...graph.outputs, ...added].some(({ name }) => name === value);
    if (!isThere) added.push({ name: value, ...types.get(value)! });
  }
  return { graph: { ...graph, outputs: [...graph.outputs, ...added] }, names };
}
