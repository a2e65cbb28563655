/** A graph in two: what is run forward, and the gradients behind it. */
import { gradientName, gradients, sliceGraph, typesOf } from "@tinygptv/graph";
import type { Graph, Port } from "@tinygptv/graph";

export interface Differentiated {
  /** The graph, with `saved` as further outputs. */
  readonly forward: Graph;
  /** Gives `gradient/NAME` for all that was wanted, from `gradient/OUTPUT`, the graph's inputs and `saved`. */
  readonly backward: Graph;
  /** Values that the backward pass is given; none where it computes them again. */
  readonly saved: readonly Port[];
}

/**
 * @param wanted inputs whose gradients are wanted
 * @param recomputes whether the backward pass computes again what it needs of the
 *   forward pass: a layer's inputs are kept then, and nothing in between
 */
export function differentiate(
  graph: Graph,
  output: string,
  wanted: readonly string[],
  { recomputes }: { recomputes: boolean },
): Differentiated {
  const joint = gradients(graph, output, wanted);
  const types = typesOf(joint);
  const portOf = (name: string): Port => ({ name, ...types.get(name)! });
  const saved = recomputes ? [] : sharedValues(graph, joint).map(portOf);
  const gradientPorts = wanted.map((name) => portOf(gradientName(name)));
  return {
    forward: { ...graph, outputs: [...graph.outputs, ...saved] },
    backward: sliceGraph(joint, saved, gradientPorts),
    saved,
  };
}

/**
 * What the backward pass reads of the forward pass: floats that come of what is
 * passed on. Weights that are widened or turned are made again: they are large, and they are there.
 */
function sharedValues(graph: Graph, joint: Graph): string[] {
  const passed = new Set([graph.inputs[0]!.name]);
  for (const { inputs, outputs } of graph.nodes)
    if (inputs.some((name) => passed.has(name))) for (const name of outputs) passed.add(name);
  for (const { name } of graph.inputs) passed.delete(name);
  const types = typesOf(graph);
  const forward = new Set(graph.nodes.map(({ name }) => name));
  const read = joint.nodes
    .filter(({ name }) => !forward.has(name))
    .flatMap(({ op, inputs }) => (op === "Shape" ? [] : inputs));
  return [...new Set(read)].filter(
    (name) => passed.has(name) && types.get(name)?.dtype === "float32",
  );
}
