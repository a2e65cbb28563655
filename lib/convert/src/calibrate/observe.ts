/** Statistics of a block's layers, computed by the graph itself: only sums leave it. */
import type { Attribute, Graph, Node, Port } from "@tinygptv/graph";
import type { LinearLayer } from "../quantize/linear.ts";

/** A statistic: nodes that compute it, and the output that holds it. */
interface Statistic {
  readonly nodes: readonly Node[];
  readonly port: Port;
}

/** The graph with statistics as its only outputs. */
export function withStatistics(graph: Graph, statistics: readonly Statistic[]): Graph {
  const once = new Map(statistics.map((statistic) => [statistic.port.name, statistic]));
  return {
    ...graph,
    nodes: [...graph.nodes, ...[...once.values()].flatMap(({ nodes }) => nodes)],
    outputs: [...once.values()].map(({ port }) => port),
  };
}

/** Least or largest element of a value. */
export function extreme(op: "ReduceMin" | "ReduceMax", value: string): Statistic {
  const name = `${value}/${op}`;
  return {
    nodes: [node(op, name, [value], { keepdims: 0 })],
    port: { name, dtype: "float32", shape: [] },
  };
}

/** Mean of the squared elements of a value. */
export function meanSquare(value: string): Statistic {
  const name = `${value}/meanSquare`;
  return {
    nodes: [
      node("Mul", `${name}/squares`, [value, value]),
      node("ReduceMean", name, [`${name}/squares`], { keepdims: 0 }),
    ],
    port: { name, dtype: "float32", shape: [] },
  };
}

/**
 * Xᵀ·X of a layer's inputs, apart for `ranges` equal ranges of them: [ranges, in/ranges, in/ranges].
 * Layers that read the same value share it.
 */
export function gram({ matMul, weight }: LinearLayer, ranges: number): Statistic {
  const [value] = matMul.inputs as [string];
  const size = weight.shape[0]! / ranges;
  const name = `${value}/gram`;
  return {
    nodes: [
      node("Constant", `${name}/shape`, [], { value_ints: [-1, ranges, size] }),
      node("Reshape", `${name}/ranges`, [value, `${name}/shape`]), // (1,S,in) -> (S,R,G)
      node("Transpose", `${name}/x`, [`${name}/ranges`], { perm: [1, 0, 2] }), // -> (R,S,G)
      node("Transpose", `${name}/xt`, [`${name}/ranges`], { perm: [1, 2, 0] }), // -> (R,G,S)
      node("MatMul", name, [`${name}/xt`, `${name}/x`]),
    ],
    port: { name, dtype: "float32", shape: [ranges, size, size] },
  };
}

function node(
  op: string,
  output: string,
  inputs: readonly string[],
  attributes: Readonly<Record<string, Attribute>> = {},
): Node {
  return { name: output, op, domain: "", inputs, outputs: [output], attributes };
}
