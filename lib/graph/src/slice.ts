import type { Graph, Node, Port } from "./graph.ts";

/**
 * The part of a graph that computes `to`, with the values `from` given from
 * outside; inputs of the whole graph are kept where the part needs them.
 */
export function sliceGraph(graph: Graph, from: readonly Port[], to: readonly Port[]): Graph {
  const given = new Map([...graph.inputs, ...from].map((port) => [port.name, port]));
  const producers = new Map(
    graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node])),
  );
  const nodes = new Set<Node>();
  const inputs = new Set<Port>();
  const pending = to.map(({ name }) => name);
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const port = given.get(name);
    if (port) inputs.add(port);
    const node = port ? undefined : producers.get(name);
    if (!node || nodes.has(node)) continue;
    nodes.add(node);
    pending.push(...node.inputs);
  }
  const read = new Set([...nodes].flatMap((node) => node.inputs));
  return {
    name: graph.name,
    inputs: [...inputs],
    outputs: to,
    nodes: graph.nodes.filter((node) => nodes.has(node)),
    initializers: new Map([...graph.initializers].filter(([name]) => read.has(name))),
    stages: new Map(),
    blocks: [],
  };
}
