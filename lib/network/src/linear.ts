/** Linear layers of a graph: found, and put in another form. */
import type { Attribute, Graph, Initializer, Node } from "@tinygptv/graph";

/** `MatMul` with a constant weight, and the `Add` of a constant bias right after it, if any. */
export interface LinearLayer {
  /** Name of the weight without `.weight`: `phi.layers.0.attention.qkv`. */
  readonly name: string;
  readonly matMul: Node;
  /** [in,out] */
  readonly weight: Initializer;
  readonly bias: { readonly add: Node; readonly values: Initializer } | undefined;
}

/** An operator that computes a linear layer, bias included. */
export interface LinearOperator {
  readonly op: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** What follows x in the operator's inputs. */
  readonly constants: readonly (Initializer | undefined)[];
}

/** The linear layers in the order of the graph. */
export function linearLayers(graph: Graph): LinearLayer[] {
  const readers = new Map<string, Node[]>();
  for (const node of graph.nodes)
    for (const input of node.inputs) readers.set(input, [...(readers.get(input) ?? []), node]);
  const seen = new Set([
    ...graph.stages.values(),
    ...graph.blocks,
    ...graph.outputs.map(({ name }) => name),
  ]);

  return graph.nodes.flatMap((matMul) => {
    const weight = graph.initializers.get(matMul.inputs[1] ?? "");
    if (matMul.op !== "MatMul" || weight?.shape.length !== 2) return [];
    const [product] = matMul.outputs as [string];
    const [add, ...others] = readers.get(product) ?? [];
    const values = add?.inputs.map((input) => graph.initializers.get(input)).find(Boolean);
    const isBias =
      add?.op === "Add" && values?.shape.length === 1 && others.length === 0 && !seen.has(product);
    const bias = isBias ? { add, values } : undefined;
    return [{ name: weight.name.replace(/\.weight$/, ""), matMul, weight, bias }];
  });
}

/** Puts other operators in the place of linear layers; layers without one in `operators` stay. */
export function replaceLinearLayers(
  graph: Graph,
  operators: ReadonlyMap<string, LinearOperator>,
): Graph {
  const nodes = new Map(graph.nodes.map((node): [Node, Node | undefined] => [node, node]));
  const constants = new Map<string, readonly Initializer[]>();
  for (const { name, matMul, weight, bias } of linearLayers(graph)) {
    const operator = operators.get(name);
    if (!operator) continue;
    const { op, attributes } = operator;
    nodes.set(matMul, {
      name: matMul.name.replace(/MatMul$/, op),
      op,
      domain: "com.microsoft",
      inputs: [matMul.inputs[0]!, ...operator.constants.map((one) => one?.name ?? "")],
      outputs: bias ? bias.add.outputs : matMul.outputs,
      attributes,
    });
    if (bias) nodes.set(bias.add, undefined);
    const isNew = (one: Initializer | undefined) =>
      one !== undefined && one.name !== bias?.values.name;
    constants.set(weight.name, operator.constants.filter(isNew) as Initializer[]);
  }
  const initializers = [...graph.initializers].flatMap(([name, initializer]) =>
    (constants.get(name) ?? [initializer]).map((one): [string, Initializer] => [one.name, one]),
  );
  return {
    ...graph,
    nodes: [...nodes.values()].filter((node) => node !== undefined),
    initializers: new Map(initializers),
  };
}
