/** What was trained, put beside a converted model, where the runtime takes it by request. */
import { join } from "node:path";
import type { Graph, Initializer } from "@tinygptv/graph";
import { readModel, writeModel } from "@tinygptv/graph/disk";
import {
  adapterFormatVersion,
  adapterManifestName,
  adaptersFolder,
  checkName,
  elementCount,
  transpose,
  type AdapterManifest,
  type Manifest,
} from "@tinygptv/model";
import { readManifest } from "@tinygptv/model/disk";
import {
  adaptable,
  asBytes,
  mapping,
  type AdapterPlace,
  type Weight,
  type Weights,
} from "@tinygptv/network";
import { TinyGptvError, version } from "@tinygptv/protocol";
import { writeFolder } from "./modelFolder.ts";
import { sourceGraphs } from "./quantizeModel.ts";
import { expectShape, originOf } from "./shape.ts";
import { asWeight, type TrainedWeights } from "./trainedGraphs.ts";

/** What an adapter is called, and where it came from. */
export interface AdapterOptions {
  /** It is asked for as `MODEL+NAME`. */
  name: string;
  /** File it was read from, for its manifest. */
  source: { file: string; bytes: number };
  /** Replace one of this name. */
  replace?: boolean;
}

const adapter = { what: "adapter", manifestName: adapterManifestName };

/**
 * Writes `adapters/NAME` in a model's folder. It appears whole: a process that serves the
 * model has it from then on. The model's own files stay as they are.
 * @param folder of the model that was trained over, in any level
 * @param trained LoRA of attention's projections, norms of the language model, the mapping
 * Errors: "layout" for weights that do not fit the model or that can only be merged into one,
 * "parameter" for a name no adapter can have, "model" for a damaged folder, "io" for the disk and
 * where an adapter is there already.
 */
export async function addAdapter(
  folder: string,
  trained: TrainedWeights,
  { name, source, replace = false }: AdapterOptions,
): Promise<AdapterManifest> {
  checkName(name);
  const manifest = await readManifest(folder);
  const { config } = manifest;
  const stored = await readModel(join(folder, manifest.levels[manifest.defaultLevel]!.phi));
  const { places } = adaptable(stored, config.phi);
  const maps = new Map<string, Weight>();
  const beside: Initializer[] = [];
  for (const weight of trained.weights) {
    const place = places.get(weight.name);
    if (place) beside.push(fitted(weight, place, trained));
    else if (weight.name.startsWith("mapping.")) maps.set(weight.name, weight);
    else throw onlyToMerge(weight);
  }
  expectPairs(beside);
  const rank = beside.find(({ name: one }) => one.endsWith(".loraA"))?.shape[1];

  return writeFolder(adapter, join(folder, adaptersFolder, name), replace, async (writer) => {
    const write = async (path: string, graph: Graph) => {
      writer.add(await writeModel(await writer.path(path), graph));
      return path;
    };
    const phi = beside.length > 0 ? await write("phi.onnx", only(beside)) : undefined;
    const mapped =
      maps.size > 0
        ? await write("mapping.onnx", await wholeMapping(folder, manifest, maps))
        : undefined;
    return {
      formatVersion: adapterFormatVersion,
      createdBy: `tinygptv ${version}`,
      ...(rank !== undefined && { rank }),
      ...(phi !== undefined && { phi }),
      ...(mapped !== undefined && { mapping: mapped }),
      files: writer.files,
      source,
    };
  });
}

/** A weight as the graph takes it: matrices the other way round, alpha / rank in B. */
function fitted(weight: Weight, { port }: AdapterPlace, { alpha }: TrainedWeights): Initializer {
  const { name, load } = weight;
  if (!/\.lora[AB]$/.test(name)) {
    const { shape } = expectShape(weight, port.shape as number[]);
    return { name, dtype: "float32", shape, load: async () => asBytes(await load()) };
  }
  const isB = name.endsWith("B");
  const rank = weight.shape[isB ? 1 : 0] ?? 0;
  const wanted = port.shape.map((size) => (typeof size === "number" ? size : Math.max(rank, 1)));
  const [rows, columns] = expectShape(weight, wanted.toReversed()).shape as [number, number];
  const scale = isB ? alpha / rank : 1;
  return {
    name,
    dtype: "float32",
    shape: wanted,
    load: async () => asBytes(transpose(await load(), rows, columns).map((value) => scale * value)),
  };
}

function expectPairs(weights: readonly Initializer[]): void {
  const ranks = new Map(
    weights.map(({ name, shape }) => [name, name.endsWith("A") ? shape[1] : shape[0]]),
  );
  for (const { name } of weights) {
    if (!/\.lora[AB]$/.test(name)) continue;
    const other = name.replace(/[AB]$/, (end) => (end === "A" ? "B" : "A"));
    if (ranks.get(other) === ranks.get(name)) continue;
    throw new TinyGptvError(
      "layout",
      `${name}: want ${other} of rank ${ranks.get(name)} beside it, got ${ranks.has(other) ? `rank ${ranks.get(other)}` : "none"}`,
      { subject: other },
    );
  }
}

function onlyToMerge(weight: Weight): TinyGptvError {
  return new TinyGptvError(
    "layout",
    `${originOf(weight)}: want LoRA of attention's projections, norms of the language model or the mapping, got ${weight.name}, which no adapter of this model can hold; merge it into a new model`,
    { subject: weight.name },
  );
}

/** Weights alone, in the form of a graph. */
function only(initializers: readonly Initializer[]): Graph {
  const named = initializers.map((one): [string, Initializer] => [one.name, one]);
  return {
    name: "adapter",
    inputs: [],
    outputs: [],
    nodes: [],
    initializers: new Map(named),
    stages: new Map(),
    blocks: [],
  };
}

/** The mapping with what was trained in it; the rest is the model's, where that has it in floats. */
async function wholeMapping(
  folder: string,
  manifest: Manifest,
  trained: ReadonlyMap<string, Weight>,
): Promise<Graph> {
  const { qformer, mapping: maps, phi } = manifest.config;
  const asked = new Set<string>();
  const names: Weights = (name, shape) => {
    asked.add(name);
    return { name, shape, load: async () => new Float32Array(elementCount(shape)) };
  };
  const shape = {
    queryTokens: qformer.numQueryTokens,
    inWidth: qformer.width,
    width: maps.width,
    outWidth: phi.width,
  };
  mapping(names, shape);
  for (const weight of trained.values()) if (!asked.has(weight.name)) throw onlyToMerge(weight);
  const isWhole = [...asked].every((name) => trained.has(name));
  const before = isWhole ? undefined : (await sourceGraphs(folder, manifest)).mapping;
  return mapping((name, want) => {
    const weight = trained.get(name) ?? asWeight(before!, name);
    return expectShape(weight, want);
  }, shape);
}
