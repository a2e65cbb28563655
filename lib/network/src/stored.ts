/**
 * A model's graph in another form, over the weights it was stored with: only the
 * small `.onnx` differs, and it is made when it is needed.
 */
import type { Graph, Initializer, Node } from "@tinygptv/graph";
import { TinyGptvError } from "@tinygptv/protocol";
import { onnxTypes } from "./layers.ts";
import { linearLayers, replaceLinearLayers } from "./linear.ts";
import type { LinearLayer, LinearOperator } from "./linear.ts";
import type { Precision, Weights } from "./weights.ts";

/** For graphs whose weights are named only, to be found in a stored one afterwards. */
export const namedWeights: Weights = (name, shape) => ({
  name,
  shape,
  load: () => Promise.reject(new Error(`${name}: is named only`)),
});

/** Inputs of quantized layers are not rounded: it would save a GPU nothing, and tell rows of a batch apart. */
const exactInputs = 0;

/**
 * Puts a stored graph's weights, as its level has them, into one that names them.
 * Where precisions differ a Cast is added, which ONNX Runtime computes once, at load.
 * @param graph built with `namedWeights`
 * @param stored the same model's, as it was written in some level
 * @throws TinyGptvError "model" where a weight is not in `stored`
 */
export function withStoredWeights(graph: Graph, stored: Graph): Graph {
  const quantized = new Map(
    stored.nodes.flatMap((node): [string, Node][] => {
      const [, codes] = node.inputs;
      return codes?.endsWith(".codes") ? [[codes.slice(0, -".codes".length), node]] : [];
    }),
  );
  const found = (name: string): Initializer => {
    const initializer = stored.initializers.get(name);
    if (initializer) return initializer;
    throw new TinyGptvError(
      "model",
      `${stored.name}: want the weight ${name}, got a graph without it; convert the model again`,
      { subject: name },
    );
  };

  const operators = new Map<string, LinearOperator>();
  /** By the weight's name, where the product stays one of floats. */
  const perColumn = new Map<string, Node>();
  for (const layer of linearLayers(graph)) {
    const node = quantized.get(layer.name);
    if (node?.op === "MatMulNBits") operators.set(layer.name, blockwise(layer, node, found));
    // GPUs have no kernel for this one; what it multiplies is taken apart at every run.
    if (node?.op === "DynamicQuantizeMatMul") perColumn.set(layer.weight.name, node);
  }

  const result = replaceLinearLayers(graph, operators);
  const prepared: Node[] = [];
  const initializers = new Map<string, Initializer>();
  const prepare = (op: string, inputs: string[], output: string, attributes: Node["attributes"]) =>
    prepared.push({
      name: `/stored/${op}.${output}`,
      op,
      domain: "",
      inputs,
      outputs: [output],
      attributes,
    });
  const castTo = (dtype: Initializer["dtype"], from: string, to: string) =>
    prepare("Cast", [from], to, { to: onnxTypes[dtype as Precision] });

  for (const { name, dtype, ...constant } of result.initializers.values()) {
    const dynamic = perColumn.get(name);
    if (dynamic) {
      const [, codes, scales] = dynamic.inputs as [string, string, string];
      for (const one of [codes, scales]) initializers.set(one, found(one));
      const isWide = dtype === "float32";
      const floats = isWide ? name : `${name}.wide`;
      prepare("DequantizeLinear", [codes, scales], floats, { axis: 1 });
      if (!isWide) castTo(dtype, floats, name);
      continue;
    }
    if (isComputed(name)) {
      initializers.set(name, { name, dtype, ...constant });
      continue;
    }
    const half = stored.initializers.get(`${name}.half`);
    const source = half ?? found(name);
    if (source.dtype === dtype) {
      initializers.set(name, { ...source, name });
      continue;
    }
    const before = `${name}.stored`;
    initializers.set(before, { ...source, name: before });
    castTo(dtype, before, name);
  }
  return { ...result, nodes: [...prepared, ...result.nodes], initializers };
}

/** The stored operator with the layer's own precision for scales and bias. */
function blockwise(
  { name, weight, bias }: LinearLayer,
  node: Node,
  found: (name: string) => Initializer,
): LinearOperator {
  const scales = { ...found(`${name}.scales`), dtype: weight.dtype };
  const constants = [found(`${name}.codes`), scales];
  return {
    op: node.op,
    attributes: { ...node.attributes, accuracy_level: exactInputs },
    constants: bias ? [...constants, undefined, undefined, bias.values] : constants,
  };
}

/** Constants and tables that the builders make themselves. */
export const isComputed = (name: string) =>
  name.startsWith("const/") || name.startsWith("phi.rotary.");
