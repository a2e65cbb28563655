/**
 * The model as it is trained: the mapping, one layer and the loss as graphs whose
 * weights are inputs, what is frozen and what is trained.
 */
import type { Graph, Initializer, Node } from "@tinygptv/graph";
import type { SessionTensor } from "@tinygptv/graph/session";
import { elementCount, toFloat32, viewAs } from "@tinygptv/model";
import type { Component, ModelConfig } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";
import { asBytes, mapping, phiLayer, phiLoss } from "@tinygptv/network";
import type { Weights } from "@tinygptv/network";
import { seeded } from "tinygptv/parts";
import { withLora, withoutPlace, withTrained, type Placeless } from "./adapted.ts";
import type { Parameter } from "./parameter.ts";

/** Where weights come from: published files, or a converted model in some level. */
export interface WeightSource {
  readonly config: ModelConfig;
  /** What graphs are built with. */
  readonly weights: Weights;
  /** Finishes a graph that was built so. */
  fill(graph: Graph, component: Component): Graph;
  /** What a parameter is before it is trained, in PyTorch's orientation; undefined where it is to begin anew. */
  start(name: string, shape: readonly number[]): Promise<Float32Array | undefined>;
}

/** What is trained. */
export interface Regime {
  /** None in the first stage. */
  readonly lora:
    | { readonly rank: number; readonly alpha: number; readonly dropout: number }
    | undefined;
  /** Share of attention's and MLP's results that is left out, another one each step. */
  readonly dropout: number;
}

/** One part of the model with all that it is given. */
export interface NetworkPart {
  readonly graph: Graph;
  /** By the names of the graph's inputs. */
  readonly frozen: Readonly<Record<string, SessionTensor>>;
  /** Parameters by the names of the graph's inputs. */
  readonly trained: Readonly<Record<string, Parameter>>;
}

/** A model in parts, with all that they are given. */
export interface Network {
  readonly config: ModelConfig;
  readonly regime: Regime;
  readonly mapping: NetworkPart;
  readonly layers: readonly NetworkPart[];
  readonly loss: NetworkPart;
  /** Everything that is trained, in the order of the model. */
  readonly parameters: readonly Parameter[];
}

/** Both maps, and the weights of all norms of the language model; never their biases. */
const trainedWeights =
  /^(mapping\.fc[12]\.(weight|bias)|phi\.norm\.weight|phi\.layers\.\d+\.(norm|postNorm|attention\.(query|key)Norm)\.weight)$/;
const adaptedLayers = /\.attention\.(qkv|dense)$/;

/**
 * Opens a source's weights in the parts that training runs; all of them are in memory afterwards.
 * @param options `storage` of frozen matrices: `float16` halves the memory of a model in float32;
 *   `seed` of what begins anew
 */
export async function openNetwork(
  source: WeightSource,
  regime: Regime,
  options: { storage?: "stored" | "float16"; seed?: number } = {},
): Promise<Network> {
  const { storage = "stored", seed = 0 } = options;
  const { config, weights } = source;
  const { width, numQueryTokens } = config.qformer;
  const random = seeded(seed);
  const lora = regime.lora && {
    rank: regime.lora.rank,
    scale: regime.lora.alpha / regime.lora.rank,
    dropout: regime.lora.dropout,
  };

  async function part(graph: Graph, component: Component, place: string): Promise<NetworkPart> {
    const adapted = lora ? withLora(graph, (name) => adaptedLayers.test(name), lora) : graph;
    const filled = source.fill(
      withTrained(adapted, (name) => trainedWeights.test(name)),
      component,
    );
    const isTrained = (name: string) => trainedWeights.test(name) || /\.lora[AB]$/.test(name);
    const parameters: Record<string, Parameter> = {};
    for (const { name, shape } of filled.inputs) {
      if (!isTrained(name)) continue;
      const sizes = shape as number[];
      const start = await source.start(name, sizes);
      if (start && start.length !== elementCount(sizes)) throw otherRank(name, sizes, start.length);
      const values = start ? Float32Array.from(start) : beginning(name, sizes, random);
      parameters[name.slice(place.length)] = { name, shape: sizes, values };
    }
    const placeless = withoutPlace(filled, place);
    const { graph: finished, weights: constants } =
      storage === "float16" ? inHalf(placeless) : placeless;
    const frozen: Record<string, SessionTensor> = {};
    for (const [name, initializer] of constants) frozen[name] = await tensorOf(initializer);
    return { graph: finished, frozen, trained: parameters };
  }

  const shape = {
    queryTokens: numQueryTokens,
    inWidth: width,
    width: config.mapping.width,
    outWidth: config.phi.width,
  };
  const maps = await part(mapping(weights, shape), "mapping", "");
  const layers: NetworkPart[] = [];
  for (let layer = 0; layer < config.phi.numLayers; layer++) {
    const graph = phiLayer(weights, config.phi, layer, { dropout: regime.dropout > 0 });
    layers.push(await part(graph, "phi", `phi.layers.${layer}.`));
  }
  const loss = await part(phiLoss(weights, config.phi), "phi", "");
  const parameters = [maps, ...layers, loss].flatMap(({ trained }) => Object.values(trained));
  return { config, regime, mapping: maps, layers, loss, parameters };
}

function otherRank(name: string, shape: readonly number[], length: number): TinyGptvError {
  const rank = Math.min(...shape);
  const got = (length / elementCount(shape)) * rank;
  return new TinyGptvError(
    "parameter",
    `lora.rank: want ${got}, that of the files which training goes on from (${name}), got ${rank}`,
    { subject: "lora.rank" },
  );
}

/** As PEFT and PyTorch begin: A uniform within ±1/√in, B zero. What else is trained is always there before. */
function beginning(name: string, shape: readonly number[], random: () => number): Float32Array {
  const count = elementCount(shape);
  if (name.endsWith(".loraB")) return new Float32Array(count);
  if (!name.endsWith(".loraA"))
    throw new TinyGptvError("model", `${name}: want its values before training, got none`);
  const bound = 1 / Math.sqrt(shape[1]!);
  return Float32Array.from({ length: count }, () => (random() * 2 - 1) * bound);
}

/** Frozen matrices of float32 as inputs of float16, widened in the graph. */
function inHalf({ graph, weights }: Placeless): Placeless {
  const halved = new Map<string, Initializer>();
  const casts: Node[] = [];
  for (const [name, weight] of weights) {
    const { dtype, shape } = weight;
    if (dtype !== "float32" || shape.length !== 2) {
      halved.set(name, weight);
      continue;
    }
    const half = `${name}/half`;
    const load = async () => asBytes(toFloat32(await weight.load(), dtype), "float16");
    halved.set(half, { ...weight, dtype: "float16", load });
    casts.push({
      name: `/half/Cast.${name}`,
      op: "Cast",
      domain: "",
      inputs: [half],
      outputs: [name],
      attributes: { to: onnxFloat32 },
    });
  }
  const ports = Array.from(halved, ([name, { dtype, shape }]) => ({ name, dtype, shape }));
  const inputs = graph.inputs.filter(({ name }) => !weights.has(name));
  return {
    graph: { ...graph, inputs: [...inputs, ...ports], nodes: [...casts, ...graph.nodes] },
    weights: halved,
  };
}

/** ONNX's number for it. */
const onnxFloat32 = 1;

async function tensorOf({ name, dtype, shape, load }: Initializer): Promise<SessionTensor> {
  const bytes = await load();
  switch (dtype) {
    case "float32":
      return { dtype, shape, data: viewAs(Float32Array, bytes) };
    case "float16":
      return { dtype, shape, data: viewAs(Uint16Array, bytes) };
    case "uint8":
      return { dtype, shape, data: viewAs(Uint8Array, bytes) };
    case "int8":
      return { dtype, shape, data: viewAs(Int8Array, bytes) };
    default:
      throw new TinyGptvError("model", `${name}: want weights that a session takes, got ${dtype}`);
  }
}
