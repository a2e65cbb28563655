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
    const isLinear = linearLayers(graph).some((layer) => layer.weight.name === target);
    const before = asWeight(graph.initializers.get(target)!, isLinear);
    const after =
      partner === undefined
        ? expectShape(weight, before.shape)
        : mergeLora(before, { a: weight, b: byName.get(partner)!, alpha });
    const initializers = new Map(graph.initializers);
    initializers.set(target, asStored(after, graph.initializers.get(target)!, isLinear));
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

/** An initializer in PyTorch's orientation: those of linear layers lie the other way in graphs. */
function asWeight({ name, shape, load }: Initializer, isLinear: boolean): Weight {
  const values = async () => viewAs(Float32Array, await load());
  if (!isLinear) return { name, shape, load: values };
  const [rows, columns] = shape as [number, number];
  return {
    name,
    shape: [columns, rows],
    load: async () => transpose(await values(), rows, columns),
  };
}

function asStored({ load }: Weight, { name, shape }: Initializer, isLinear: boolean): Initializer {
  const [rows, columns] = shape as [number, number];
  return {
    name,
    dtype: "float32",
    shape,
    load: async () => asBytes(isLinear ? transpose(await load(), columns, rows) : await load()),
  };
}
