/** Passes over a graph that is to be trained: what is trained, and every weight as an input. */
import type { Graph, Initializer, Node, Port } from "@tinygptv/graph";
import { isComputed, linearLayers } from "@tinygptv/network";

/** A low-rank update beside frozen layers (LoRA, arXiv 2106.09685). */
export interface Lora {
  readonly rank: number;
  /** What the product of both matrices is multiplied by: alpha / rank. */
  readonly scale: number;
  /** Share of a layer's inputs that the update does not see, another one each step. */
  readonly dropout: number;
}

/**
 * x·W becomes x·W + scale·(x·Aᵀ)·Bᵀ, with inputs `NAME.loraA` [rank,in] and `NAME.loraB` [out,rank].
 * With dropout x is multiplied by a further input there, `dropout.NAME` (rows,in).
 */
export function withLora(
  graph: Graph,
  isAdapted: (layer: string) => boolean,
  { rank, scale, dropout }: Lora,
): Graph {
  const ports: Port[] = [];
  const nodes = new Map(graph.nodes.map((node): [Node, readonly Node[]] => [node, [node]]));
  const factor = constant("const/lora.scale", scale);
  for (const { name, matMul, weight } of linearLayers(graph)) {
    if (!isAdapted(name)) continue;
    const [width, out] = weight.shape as [number, number];
    const [x] = matMul.inputs as [string];
    const [y] = matMul.outputs as [string];
    ports.push(
      { name: `${name}.loraA`, dtype: "float32", shape: [rank, width] },
      { name: `${name}.loraB`, dtype: "float32", shape: [out, rank] },
    );
    const isDropped = dropout > 0;
    if (isDropped)
      ports.push({ name: `dropout.${name}`, dtype: "float32", shape: ["batch*sequence", width] });
    const at = (op: string, label: string, inputs: string[], output: string) =>
      node(`${matMul.name}/lora`, op, label, inputs, output);
    nodes.set(matMul, [
      { ...matMul, outputs: [`${y}/frozen`] },
      ...(isDropped ? [at("Mul", "dropout", [x, `dropout.${name}`], `${y}/kept`)] : []),
      at("Transpose", "a", [`${name}.loraA`], `${y}/a`),
      at("MatMul", "a", [isDropped ? `${y}/kept` : x, `${y}/a`], `${y}/low`),
      at("Transpose", "b", [`${name}.loraB`], `${y}/b`),
      at("MatMul", "b", [`${y}/low`, `${y}/b`], `${y}/high`),
      at("Mul", "scale", [`${y}/high`, factor.name], `${y}/update`),
      at("Add", "update", [`${y}/frozen`, `${y}/update`], y),
    ]);
  }
  return {
    ...graph,
    inputs: [...graph.inputs, ...ports],
    nodes: [...nodes.values()].flat(),
    initializers: new Map([...graph.initializers, [factor.name, factor]]),
  };
}

/** Makes weights that are trained inputs, in PyTorch's orientation: [out,in] where the graph multiplies by [in,out]. */
export function withTrained(graph: Graph, isTrained: (name: string) => boolean): Graph {
  const matrices = new Set(linearLayers(graph).map(({ weight }) => weight.name));
  const ports: Port[] = [];
  const transposes: Node[] = [];
  const initializers = new Map(graph.initializers);
  const renamed = new Map<string, string>();
  for (const { name, shape } of graph.initializers.values()) {
    if (!isTrained(name)) continue;
    initializers.delete(name);
    const isMatrix = matrices.has(name);
    ports.push({ name, dtype: "float32", shape: isMatrix ? shape.toReversed() : shape });
    if (!isMatrix) continue;
    renamed.set(name, `${name}/transposed`);
    transposes.push(node("/trained", "Transpose", name, [name], `${name}/transposed`));
  }
  const nodes = graph.nodes.map((one) => ({
    ...one,
    inputs: one.inputs.map((name) => renamed.get(name) ?? name),
  }));
  return {
    ...graph,
    inputs: [...graph.inputs, ...ports],
    nodes: [...transposes, ...nodes],
    initializers,
  };
}

/** A graph that stands for several places of a model: nothing that it knows is of one of them. */
export interface Placeless {
  readonly graph: Graph;
  /** What its inputs for weights are given in the place it was made from, by their names there. */
  readonly weights: ReadonlyMap<string, Initializer>;
}

/**
 * Makes all weights inputs, so that one session serves all layers. ONNX Runtime
 * keeps no second copy of an input, packed or widened, and layers are exchanged by
 * handing in others: weights as constants would take twice the memory and a session each.
 * @param place what names of weights begin with, which is cut off
 */
export function withoutPlace(graph: Graph, place: string): Placeless {
  const local = (name: string) => (name.startsWith(place) ? name.slice(place.length) : name);
  const weights = new Map<string, Initializer>();
  const initializers = new Map<string, Initializer>();
  for (const one of graph.initializers.values()) {
    if (isComputed(one.name)) initializers.set(one.name, one);
    else weights.set(local(one.name), one);
  }
  const ports = Array.from(weights, ([name, { dtype, shape }]) => ({ name, dtype, shape }));
  const atPlace = /^dropout\./;
  const localInput = (name: string) =>
    atPlace.test(name) ? `dropout.${local(name.slice("dropout.".length))}` : local(name);
  const inputs = graph.inputs.map((port) => ({ ...port, name: localInput(port.name) }));
  return {
    graph: {
      ...graph,
      inputs: [...inputs, ...ports],
      nodes: graph.nodes.map((one) => ({
        ...one,
        inputs: one.inputs.map(localInput),
        outputs: one.outputs.map(local),
      })),
      initializers,
    },
    weights,
  };
}

const node = (
  place: string,
  op: string,
  label: string,
  inputs: string[],
  output: string,
): Node => ({
  name: `${place}/${op}.${label}`,
  op,
  domain: "",
  inputs,
  outputs: [output],
  attributes: op === "Transpose" ? { perm: [1, 0] } : {},
});

const constant = (name: string, value: number): Initializer => ({
  name,
  dtype: "float32",
  shape: [1],
  load: async () => new Uint8Array(Float32Array.of(value).buffer),
});
