/**
 * Differentiation: the backward pass of a graph, appended to it as ordinary
 * operators (reverse mode).
 */
import { TinyGptvError } from "@tinygptv/protocol";
import { GraphBuilder } from "../builder.ts";
import { sameShape } from "../dimension.ts";
import type { Graph, Node } from "../graph.ts";
import { Problem } from "../shapes/call.ts";
import type { Value } from "../value.ts";
import { Operators, type Backward } from "./backward.ts";
import { rules } from "./rules.ts";

/** What the gradient of a value is called, as an input and as an output. */
export const gradientName = (value: string) => `gradient/${value}`;

/**
 * The graph with gradients as further outputs, `gradient/NAME` for each of `parameters`.
 *
 * The gradients are those of a number that depends on one output alone: on the
 * output itself where it is a single number, a loss; else the graph has a further
 * input, `gradient/OUTPUT`, for what is known of it from behind.
 *
 * @param parameters inputs or weights of the graph
 * @throws TinyGptvError "layout" where an operator between them has no rule, or a parameter
 *   has no part in the output
 */
export function gradients(graph: Graph, output: string, parameters: readonly string[]): Graph {
  const g = GraphBuilder.on(graph);
  const of = g.value(output);
  const seed = sameShape(
    of.shape,
    of.shape.map(() => 1),
  )
    ? g.constant("float32", [1], of.shape as number[])
    : g.input(gradientName(output), of.dtype, of.shape);
  const known = new Map([[output, seed]]);
  const active = dependentOn(graph, parameters, g);

  for (const node of graph.nodes.toReversed()) {
    const isPassed = node.outputs.some((name) => known.has(name));
    if (!isPassed || !node.inputs.some((name) => active.has(name))) continue;
    const to = g.at(`gradient${node.name}`);
    const found = applyRule(graph, node, {
      attributes: node.attributes,
      inputs: node.inputs.map((name) => (name === "" ? undefined : g.value(name))),
      outputs: node.outputs.map((name) => g.value(name)),
      gradients: node.outputs.map((name) => known.get(name)),
      wants: (i) => active.has(node.inputs[i] ?? ""),
      to: new Operators(to),
    });
    for (const [i, name] of node.inputs.entries()) {
      const gradient = found[i];
      if (!gradient || !active.has(name)) continue;
      const before = known.get(name);
      const sum = () => to.op("Add", [before!, gradient], { label: `sum.${i}` });
      known.set(name, before ? sum() : gradient);
    }
  }

  for (const name of parameters) {
    const gradient = known.get(name);
    if (!gradient) throw fault(graph, `${output} does not depend on ${name}`, name);
    g.output(gradientName(name), gradient.is(...g.value(name).shape));
  }
  return g.build();
}

/** Values that change with a parameter; what is computed of shapes does not. */
function dependentOn(graph: Graph, parameters: readonly string[], g: GraphBuilder): Set<string> {
  const active = new Set(parameters);
  for (const { inputs, outputs } of graph.nodes)
    if (inputs.some((name) => active.has(name)))
      for (const name of outputs) if (isFloat(g.value(name))) active.add(name);
  return active;
}

const isFloat = ({ dtype }: Value) => dtype === "float32" || dtype === "float16";

function applyRule(graph: Graph, node: Node, call: Backward) {
  const rule = rules.get(node.op);
  if (!rule) throw fault(graph, `${node.name}: ${node.op} has no gradient rule`, node.name);
  try {
    return rule(call);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    throw fault(graph, `${node.name}: gradient of ${node.op}: ${problem.message}`, node.name);
  }
}

function fault(graph: Graph, problem: string, subject: string): TinyGptvError {
  return new TinyGptvError("layout", `graph ${graph.name}: ${problem}`, { subject });
}
