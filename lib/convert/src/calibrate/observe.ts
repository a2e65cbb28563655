/** Statistics of a block's layers, computed by the graph itself: only sums leave it. */
import { GraphBuilder, type Graph, type Value } from "@tinygptv/graph";
import type { LinearLayer } from "@tinygptv/network";

/** A graph being extended by statistics of its values. Each is named, by what it is and of what, and computed once. */
export interface Statistics {
  /** Least and largest element of a value. */
  least(value: string): string;
  largest(value: string): string;
  /** Mean of the squared elements of a value. */
  meanSquare(value: string): string;
  /**
   * Xᵀ·X of a layer's inputs, apart for `ranges` equal ranges of them: [ranges, in/ranges, in/ranges].
   * Layers that read the same value share it.
   */
  gram(layer: LinearLayer, ranges: number): string;
  /** The graph with the statistics asked for as its only outputs. */
  build(): Graph;
}

export function createStatistics(graph: Graph): Statistics {
  const g = GraphBuilder.on({ ...graph, outputs: [] });
  const names = new Set<string>();

  function statistic(
    what: string,
    value: string,
    make: (at: GraphBuilder, x: Value) => Value,
  ): string {
    const name = `${what} of ${value}`;
    if (!names.has(name)) g.output(name, make(g.at(name), g.value(value)));
    names.add(name);
    return name;
  }

  const all = { attributes: { keepdims: 0 } };
  return {
    least: (value) => statistic("least", value, (at, x) => at.op("ReduceMin", [x], all)),
    largest: (value) => statistic("largest", value, (at, x) => at.op("ReduceMax", [x], all)),
    meanSquare: (value) =>
      statistic("mean square", value, (at, x) => at.op("ReduceMean", [at.op("Mul", [x, x])], all)),
    gram({ matMul, weight }, ranges) {
      const size = weight.shape[0]! / ranges;
      return statistic("gram", matMul.inputs[0]!, (at, x) => {
        const parts = at.op("Reshape", [x, g.constant("int64", [-1, ranges, size])]);
        const rows = at.op("Transpose", [parts], { attributes: { perm: [1, 0, 2] }, label: "x" });
        const columns = at.op("Transpose", [parts], {
          attributes: { perm: [1, 2, 0] },
          label: "xt",
        });
        return at.op("MatMul", [columns, rows]).is(ranges, size, size);
      });
    },
    build: () => g.build(),
  };
}
