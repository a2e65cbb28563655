/** Trained weights put into the graphs of a converted model, in the place of those they were trained from. */
import type { Graph, Initializer } from "@tinygptv/graph";
import { components, transpose, viewAs, type Component } from "@tinygptv/model";
import { asBytes, linearLayers, type Weight } from "@tinygptv/network";
import { TinyGptvError } from "@tinygptv/protocol";
import { mergeLora } from "./lora.ts";
import { expectShape } from "./shape.ts";

/** What a training changed, by our names and in PyTorch's orientation. */
export interface TrainedWeights {
  /** `X.loraA` and `X.loraB` are added to `X.weight` as alpha / rank · B·A; others take the place of the model's. */
  readonly weights: readonly Weight[];
  /** Of LoRA. */
  readonly alpha: number;
}

type Graphs = Readonly<Record<Component, Graph>>;

/**
 * @param graphs in float32
 * @returns the graphs with the weights in them, and which of them changed
 * @throws TinyGptvError "layout" for a weight the model does not have, one of another shape, and half a LoRA
 */
export function withTrained(
  graphs: Graphs,
  { weights, alpha }: TrainedWeights,
): { graphs: Record<Component, Graph>; changed: ReadonlySet<Component> } {
  const byName = new Map(weights.map((weight) => [weight.name, weight]));
  const changed = new Set<Component>();
  const result = { ...graphs };
  for (const weight of weights) {
    const { name } = weight;
    const target = name.replace(/\.lora[AB]$/, ".weight");
    const component = components.find((each) => graphs[each].initializers.has(target));
    if (!component)
      throw new TinyGptvError("layout", `${name}: want a weight of the model, got none of them`, {
        subject: name,
      });
    const [partner, isSecond] = partnerOf(name);
    if (partner !== undefined && !byName.has(partner))
      throw new TinyGptvError("layout", `${name}: want ${partner} beside it, got none`, {
        subject: partner,
      });
    changed.add(component);
    // A pair is merged once.
    if (isSecond) continue;
    const graph = result[component];
    const before = asWeight(graph, target);
    const after =
      partner === undefined
        ? expectShape(weight, before.shape)
        : mergeLora(before, { a: weight, b: byName.get(partner)!, alpha });
    const initializers = new Map(graph.initializers);
    initializers.set(
      target,
      asStored(after, graph.initializers.get(target)!, isLinear(graph, target)),
    );
    result[component] = { ...graph, initializers };
  }
  return { graphs: result, changed };
}

/** The other half of a LoRA, and whether this is B. */
function partnerOf(name: string): [string | undefined, boolean] {
  if (name.endsWith(".loraA")) return [name.replace(/A$/, "B"), false];
  if (name.endsWith(".loraB")) return [name.replace(/B$/, "A"), true];
  return [undefined, false];
}

const isLinear = (graph: Graph, name: string) =>
  linearLayers(graph).some(({ weight }) => weight.name === name);

/**
 * A weight of a graph in float32, in PyTorch's orientation: those of linear layers lie the other way in graphs.
 * @param name of one that it has
 */
export function asWeight(graph: Graph, name: string): Weight {
  const { shape, load } = graph.initializers.get(name)!;
  const values = async () => viewAs(Float32Array, await load());
  if (!isLinear(graph, name)) return { name, shape, load: values };
  const [rows, columns] = shape as [number, number];
  return {
    name,
    shape: [columns, rows],
    load: async () => transpose(await values(), rows, columns),
  };
}

function asStored(
  { load }: Weight,
  { name, shape }: Initializer,
  isTransposed: boolean,
): Initializer {
  const [rows, columns] = shape as [number, number];
  return {
    name,
    dtype: "float32",
    shape,
    load: async () => asBytes(isTransposed ? transpose(await load(), columns, rows) : await load()),
  };
}
