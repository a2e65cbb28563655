/** Weights stored in half precision and widened by the graph, and the way back. */
import type { Graph, Initializer, Node } from "@tinygptv/graph";
import { toFloat16, toFloat32, viewAs } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";

/** ONNX's number for float32, the type a Cast goes to. */
const toFloat = 1;

/** Matrices and kernels: all but a thousandth of a model. The rest is kept as it is. */
const weighted = new Set(["MatMul", "Conv"]);

/**
 * Stores the weights of MatMul and Conv in half; a Cast brings them back, so
 * everything is still computed in float32 (ONNX Runtime widens them once, at load).
 */
export function storeFloat16(graph: Graph): Graph {
  const weights = new Set(
    graph.nodes
      .filter(({ op }) => weighted.has(op))
      .map(({ inputs }) => inputs[1]!)
      .filter((name) => graph.initializers.get(name)?.dtype === "float32"),
  );
  const casts = [...weights].map((name): Node => ({
    name: `/widen/${name}`,
    op: "Cast",
    domain: "",
    inputs: [halfName(name)],
    outputs: [name],
    attributes: { to: toFloat },
  }));
  const initializers = [...graph.initializers.values()].map((initializer) =>
    weights.has(initializer.name) ? halve(initializer) : initializer,
  );
  return { ...graph, nodes: [...casts, ...graph.nodes], initializers: byName(initializers) };
}

/** The same graph with its weights in float32 again. */
export function widenFloat16(graph: Graph): Graph {
  const widened = new Map<string, Initializer>();
  const nodes = graph.nodes.filter(({ op, inputs, outputs }) => {
    const half = graph.initializers.get(inputs[0] ?? "");
    if (op !== "Cast" || half?.dtype !== "float16") return true;
    widened.set(half.name, {
      name: outputs[0]!,
      dtype: "float32",
      shape: half.shape,
      load: async () => new Uint8Array(toFloat32(await half.load(), "float16").buffer),
    });
    return false;
  });
  const initializers = [...graph.initializers.values()].map(
    (initializer) => widened.get(initializer.name) ?? initializer,
  );
  return { ...graph, nodes, initializers: byName(initializers) };
}

function halve({ name, shape, load }: Initializer): Initializer {
  return {
    name: halfName(name),
    dtype: "float16",
    shape,
    load: async () => {
      const values = viewAs(Float32Array, await load());
      const tooLarge = values.find((value) => !(Math.abs(value) < 65520));
      if (tooLarge !== undefined)
        throw new TinyGptvError(
          "layout",
          `${name}: want weights that fit float16 (below 65520), got ${tooLarge}`,
          { subject: name },
        );
      return new Uint8Array(toFloat16(values).buffer);
    },
  };
}

const halfName = (name: string) => `${name}.half`;

function byName(initializers: readonly Initializer[]): Map<string, Initializer> {
  return new Map(initializers.map((initializer) => [initializer.name, initializer]));
}
