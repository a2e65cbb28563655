/**
 * Checkpoint to ONNX, top to bottom: open the published files, bring their
 * weights under our names, build the four graphs, write them as a model folder.
 */
import { basename, join } from "node:path";
import { visionTokens, type ModelConfig } from "../config.ts";
import { TinyGptvError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { writeModel } from "../graph/modelFile.ts";
import { components, formatVersion, type Component, type Manifest } from "../manifest.ts";
import { evaVit } from "../models/evaVit.ts";
import { mapping } from "../models/mapping.ts";
import { phi } from "../models/phi.ts";
import { qformer } from "../models/qformer.ts";
import type { Weights } from "../models/weights.ts";
import { byteLength } from "../tensor/dtype.ts";
import { version } from "../version.ts";
import { adopt, type Catalog } from "./catalog.ts";
import { deriveConfig, hintFor, loraAlphaFor, settingsFor } from "./config.ts";
import { writeEmbeddings } from "./embeddings.ts";
import { writeModelFolder } from "./modelFolder.ts";
import { createParameters, type Parameters } from "./parameters.ts";
import { publishedLoraAlpha } from "./settings.ts";
import {
  closeSources,
  describeSources,
  detectPhiLayout,
  openSources,
  type SourcePaths,
  type Sources,
} from "./sources.ts";
import { findTokenizer } from "./tokenizerFiles.ts";
import { phiLayouts, sourceTables } from "./weightMap.ts";

export interface ConvertOptions {
  sources: SourcePaths;
  /** Settings file (`model.json`); not needed for the published dimensions. */
  settings?: string;
  /** Folder to make. */
  out: string;
  /** Replace a model that is at `out`. */
  replace?: boolean;
  name?: string;
  /** Side of the input picture; the settings' unless given. */
  imageSize?: number;
  /** Go on when a language-model, vision or Q-Former file has keys we do not know. */
  allowUnknown?: boolean;
}

export interface ConvertProgress {
  /** What is being written. */
  component: Component | "embeddings";
  /** Bytes written and to be written, over all components. */
  done: number;
  total: number;
}

export interface RunOptions {
  onProgress?: (progress: ConvertProgress) => void;
  signal?: AbortSignal;
}

/**
 * Converts published checkpoints into a model folder with the level `fp32`.
 * Streams: one tensor is in memory at a time.
 * Errors: "checkpoint" for damaged files, "layout" for weights that are not a
 * TinyGPT-V's (all missing or unknown names are listed), "io" for the disk.
 */
export async function convert(options: ConvertOptions, run: RunOptions = {}): Promise<Manifest> {
  const sources = await openSources(options.sources);
  try {
    const { settings, tokenizer, config, graphs, embedding } = await plan(sources, options);
    return await writeModelFolder(options.out, options.replace ?? false, async (folder) => {
      const report = progressReporter(graphs, byteLength("float32", embedding.shape), run);
      const embeddingsDtype = await writeEmbeddings(folder, "token-embeddings.bin", embedding, {
        onBytes: report("embeddings"),
        signal: run.signal,
      });
      const level = "fp32";
      for (const component of components) {
        const path = await folder.path(`${level}/${component}.onnx`);
        folder.add(
          await writeModel(path, graphs[component], {
            onBytes: report(component),
            signal: run.signal,
          }),
        );
      }
      for (const name of tokenizer.names)
        await folder.copy(join(options.sources.phi, name), `tokenizer/${name}`);
      return {
        formatVersion,
        name: options.name ?? settings.name ?? "tinygpt-v",
        weights: settings.weights ?? "trained",
        createdBy: `tinygptv ${version}`,
        config,
        embeddings: { file: "token-embeddings.bin", dtype: embeddingsDtype },
        tokenizer: "tokenizer",
        defaultLevel: level,
        levels: { [level]: levelFiles(level) },
        files: folder.files,
        sources: await describeSources(options.sources, sources),
      };
    });
  } finally {
    await closeSources(sources);
  }
}

/** What a conversion would make, or its error, without reading weights or writing anything. */
export async function checkConversion(options: PlanOptions): Promise<ModelConfig> {
  const sources = await openSources(options.sources);
  try {
    return (await plan(sources, options)).config;
  } finally {
    await closeSources(sources);
  }
}

export type PlanOptions = Pick<
  ConvertOptions,
  "sources" | "settings" | "imageSize" | "allowUnknown"
>;

/** Everything that is decided from names and shapes; what is wrong with the sources is found here. */
async function plan(sources: Sources, options: PlanOptions) {
  const catalog = collect(sources, options.allowUnknown ?? false);
  const settings = await settingsFor(catalog, options.settings);
  const { phi: phiFolder, checkpoint } = options.sources;
  const tokenizer = await findTokenizer(phiFolder);
  const config = await deriveConfig(catalog, settings, phiFolder, tokenizer, options.imageSize);
  const loraAlpha = loraAlphaFor(catalog, settings, basename(checkpoint), publishedLoraAlpha);

  const parameters = createParameters(catalog, config, loraAlpha);
  const graphs = buildGraphs(parameters.weights, config);
  const { vocabSize, width } = config.phi;
  const embedding = parameters.stored("phi.embedding.weight", [vocabSize, width]);
  requireComplete(parameters, config);
  return { settings, tokenizer, config, graphs, embedding: embedding! };
}

/** All weights under our names, in the reference's loading order: later files override earlier ones. */
function collect(sources: Sources, allowUnknown: boolean): Catalog {
  const catalog: Catalog = new Map();
  const tables = [
    {
      source: sources.phi,
      table: phiLayouts[detectPhiLayout(sources.phi)].table,
      strict: !allowUnknown,
    },
    { source: sources.vision, table: sourceTables.vision, strict: !allowUnknown },
    { source: sources.qformer, table: sourceTables.qformer, strict: !allowUnknown },
    { source: sources.checkpoint, table: sourceTables.checkpoint, strict: true },
  ];
  for (const { source, table, strict } of tables) {
    const { unknown } = adopt(catalog, source, table);
    if (strict && unknown.length > 0)
      throw new TinyGptvError(
        "layout",
        `${source.path}: want only keys of the published file, got ${unknown.length} that fit nothing: ${list(unknown)}`,
        { subject: unknown[0]! },
      );
  }
  return catalog;
}

/** The four graphs, in the order a request passes through them. */
export function buildGraphs(weights: Weights, config: ModelConfig): Record<Component, Graph> {
  const { width: visionWidth } = config.vision;
  const { width, numQueryTokens } = config.qformer;
  return {
    vision: evaVit(weights, config.vision),
    qformer: qformer(weights, config.qformer, {
      width: visionWidth,
      tokens: visionTokens(config.vision),
    }),
    mapping: mapping(weights, {
      queryTokens: numQueryTokens,
      inWidth: width,
      width: config.mapping.width,
      outWidth: config.phi.width,
    }),
    phi: phi(weights, config.phi),
  };
}

/** Strict both ways: nothing missing, nothing left over. */
function requireComplete(parameters: Parameters, config: ModelConfig): void {
  const { missing } = parameters;
  if (missing.length > 0)
    throw new TinyGptvError(
      "layout",
      `want all parameters of a TinyGPT-V, ${missing.length} are in none of the files: ${list(missing)}${hintFor(missing[0]!)}`,
      { subject: missing[0]! },
    );
  // The published vision file holds one block more than the model uses.
  const spareBlock = new RegExp(`^vision\\.blocks\\.${config.vision.depth}\\.`);
  const unused = parameters.unused().filter((name) => !spareBlock.test(name));
  if (unused.length > 0)
    throw new TinyGptvError(
      "layout",
      `want ${config.vision.depth} vision blocks, ${config.qformer.numLayers} Q-Former layers and ${config.phi.numLayers} language-model layers, got ${unused.length} weights beyond: ${list(unused)}`,
      { subject: unused[0]! },
    );
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 20).join(", ");
  return names.length > 20 ? `${shown} and ${names.length - 20} more` : shown;
}

function levelFiles(level: string): Record<Component, string> {
  return Object.fromEntries(
    components.map((component) => [component, `${level}/${component}.onnx`]),
  ) as Record<Component, string>;
}

function progressReporter(
  graphs: Record<Component, Graph>,
  embeddingBytes: number,
  { onProgress }: RunOptions,
): (component: Component | "embeddings") => (bytes: number) => void {
  let done = 0;
  let total = embeddingBytes;
  for (const graph of Object.values(graphs))
    for (const { dtype, shape } of graph.initializers.values()) total += byteLength(dtype, shape);
  return (component) => (bytes) => {
    done += bytes;
    onProgress?.({ component, done, total });
  };
}
