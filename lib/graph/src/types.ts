/** What every value of a graph is, found by the operators' shape rules. */
import { TinyGptvError } from "@tinygptv/protocol";
import { describeShape, sameShape } from "./dimension.ts";
import type { Graph, Node } from "./graph.ts";
import { Problem, type TensorType } from "./shapes/call.ts";
import { domainOf, outputTypes } from "./shapes/operators.ts";

/**
 * Types of all values, by name.
 * @throws TinyGptvError "layout" at the first node whose inputs do not fit it,
 *   and where an output is not what the graph declares
 */
export function typesOf(graph: Graph): Map<string, TensorType> {
  const types = new Map<string, TensorType>();
  for (const { name, ...type } of graph.inputs) types.set(name, type);
  for (const { name, ...type } of graph.initializers.values()) types.set(name, type);
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => (name === "" ? undefined : types.get(name)));
    const missing = node.inputs.find((name, i) => name !== "" && !inputs[i]);
    if (missing !== undefined)
      throw fault(graph.name, node, inputs, `want a value that is there, got ${missing}`);
    for (const [i, type] of nodeTypes(graph.name, node, inputs).entries())
      types.set(node.outputs[i]!, type);
  }
  for (const { name, dtype, shape } of graph.outputs) {
    const found = types.get(name);
    if (found?.dtype !== dtype || !sameShape(found.shape, shape))
      throw new TinyGptvError(
        "layout",
        `graph ${graph.name}: output ${name}: want ${describeType({ dtype, shape })}, got ${describeType(found)}`,
        { subject: name },
      );
  }
  return types;
}

/** The types of one node's outputs. @throws TinyGptvError "layout" that names place, operator and shapes */
export function nodeTypes(
  graph: string,
  node: Omit<Node, "inputs">,
  inputs: readonly (TensorType | undefined)[],
): readonly TensorType[] {
  try {
    const domain = domainOf(node.op);
    if (domain !== undefined && node.domain !== domain)
      throw new Problem(`want the operator of domain "${domain}", got "${node.domain}"`);
    const { attributes } = node;
    return outputTypes(node.op, { inputs, attributes, outputs: node.outputs.length });
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    throw fault(graph, node, inputs, problem.message);
  }
}

function fault(
  graph: string,
  { name, op }: Omit<Node, "inputs">,
  inputs: readonly (TensorType | undefined)[],
  problem: string,
): TinyGptvError {
  const given = inputs.map(describeType).join(", ");
  return new TinyGptvError("layout", `graph ${graph}: ${name}: ${op} of ${given}: ${problem}`, {
    subject: name,
  });
}

function describeType(type: TensorType | undefined): string {
  return type ? `${type.dtype} ${describeShape(type.shape)}` : "nothing";
}
