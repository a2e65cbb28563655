/**
 * The language model's graph with a place for an adapter: LoRA beside the projections
 * of attention, whatever form their weights are stored in, and norms that can be
 * exchanged. All of it is an input of every run, so one session, whose weights are in
 * memory once, serves any number of adapters, and none.
 */
import type { Graph, Initializer, Node, Port } from "@tinygptv/graph";
import type { PhiConfig } from "@tinygptv/model";

/** Layers that LoRA can stand beside, by the name of their weights. */
const adaptedLayer = /^(phi\.layers\.\d+\.attention\.(?:qkv|dense))\.(?:weight|codes)$/;
const norm =
  /^phi\.(?:norm|layers\.\d+\.(?:norm|postNorm|attention\.(?:query|key)Norm))\.(?:weight|bias)$/;

/** A graph that takes adapters. */
export interface AdaptableGraph {
  readonly graph: Graph;
  /**
   * Inputs it has besides, and what each is without an adapter: of LoRA matrices of rank 0, which
   * is a dimension that varies, of norms those of the model.
   * `NAME.loraA` [in,rank], `NAME.loraB` [rank,out] times alpha / rank; norms by their names.
   */
  readonly places: ReadonlyMap<string, AdapterPlace>;
}

/** An input for a part of an adapter. */
export interface AdapterPlace {
  readonly port: Port;
  readonly without: Initializer;
}

/**
 * y = x·W + b becomes y + (x·A)·B, behind the bias: so what is computed of W and b stays the
 * same bit for bit, and with matrices of rank 0 the whole.
 * @param graph of the language model as it is stored in some level
 */
export function adaptable(graph: Graph, { width }: Pick<PhiConfig, "width">): AdaptableGraph {
  const readers = Map.groupBy(
    graph.nodes.flatMap((node) => node.inputs.map((input) => ({ input, node }))),
    ({ input }) => input,
  );
  const places = new Map<string, AdapterPlace>();
  const place = (port: Port, without: Initializer) => places.set(port.name, { port, without });
  /** What computes a layer's last value, and what comes behind it. */
  const updates = new Map<Node, readonly Node[]>();

  for (const node of graph.nodes) {
    const [, layer] = adaptedLayer.exec(node.inputs[1] ?? "") ?? [];
    if (layer === undefined || node.op === "Cast") continue;
    const [x] = node.inputs as [string];
    const [product] = node.outputs as [string];
    const isBias = (reader: Node) => reader.inputs.includes(`${layer}.bias`);
    const last = readers.get(product)?.find(({ node: reader }) => isBias(reader))?.node ?? node;
    const [y] = last.outputs as [string];
    const out = layer.endsWith(".qkv") ? 3 * width : width;
    const rank = `${layer}.rank`;
    const empty = (name: string, shape: readonly number[]) => ({
      name,
      dtype: "float32" as const,
      shape,
      load: async () => new Uint8Array(0),
    });
    const [a, b] = [`${layer}.loraA`, `${layer}.loraB`];
    place({ name: a, dtype: "float32", shape: [width, rank] }, empty(a, [width, 0]));
    place({ name: b, dtype: "float32", shape: [rank, out] }, empty(b, [0, out]));
    const at = (op: string, label: string, inputs: string[], output: string): Node => ({
      name: `${node.name}/lora/${op}.${label}`,
      op,
      domain: "",
      inputs,
      outputs: [output],
      attributes: {},
    });
    updates.set(last, [
      { ...last, outputs: [`${y}/alone`] },
      at("MatMul", "a", [x, a], `${y}/low`),
      at("MatMul", "b", [`${y}/low`, b], `${y}/update`),
      at("Add", "update", [`${y}/alone`, `${y}/update`], y),
    ]);
  }

  const initializers = new Map(graph.initializers);
  for (const initializer of graph.initializers.values()) {
    const { name, dtype, shape } = initializer;
    if (!norm.test(name)) continue;
    initializers.delete(name);
    place({ name, dtype, shape }, initializer);
  }
  return {
    graph: {
      ...graph,
      inputs: [...graph.inputs, ...Array.from(places.values(), ({ port }) => port)],
      nodes: graph.nodes.flatMap((node) => updates.get(node) ?? [node]),
      initializers,
    },
    places,
  };
}
