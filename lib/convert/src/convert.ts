/**
 * Checkpoint to ONNX, top to bottom: open the published files, bring their
 * weights under our names, build the four graphs, write them as a model folder.
 */
import { basename, join } from "node:path";
import type { OpenSession } from "@tinygptv/graph/session";
import { byteLength, checkName, formatVersion } from "@tinygptv/model";
import type { Manifest, ModelConfig } from "@tinygptv/model";
import { TinyGptvError, version } from "@tinygptv/protocol";
import { buildGraphs } from "@tinygptv/network";
import { adopt, type Catalog } from "./catalog.ts";
import { deriveConfig, settingsFor } from "./config.ts";
import { embeddingsDtype, writeEmbeddings } from "./embeddings.ts";
import { checkLevels, levelFiles, levelPaths, writeLevelFile } from "./levels.ts";
import { loraAlphaFor } from "./loraAlpha.ts";
import { list, missingError, requireDimensions } from "./missing.ts";
import { writeModelFolder } from "./modelFolder.ts";
import { makePlan } from "./plan.ts";
import { createParameters, type Parameters } from "./parameters.ts";
import { createReporter, type RunOptions } from "./progress.ts";
import {
  closeSources,
  describeSources,
  detectPhiLayout,
  openSources,
  type SourcePaths,
  type Sources,
} from "./sources.ts";
import { findTokenizer } from "./tokenizerFiles.ts";
import { phiLayouts, sourceTables, type PhiLayout } from "./weightMap.ts";

const embeddingsName = "token-embeddings.bin";

/** What is converted, where to, and into which levels. */
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
  /** Quantization levels to write (quantize/registry.ts), the default one first; `fp32` unless given. */
  levels?: readonly string[];
  /** Go on when a language-model, vision or Q-Former file has keys we do not know. */
  allowUnknown?: boolean;
  /** Runs layers of levels that have to be looked into (int8 and `auto`); `tinygptv` exports one. */
  openSession?: OpenSession;
}

/**
 * Converts published checkpoints into a model folder with one or more levels.
 * Streams: one tensor is in memory at a time.
 * Errors: "parameter" for unknown levels and a name no model can have, "checkpoint" for damaged files,
 * "layout" for weights that are not a TinyGPT-V's (all missing or unknown names
 * are listed), "io" for the disk.
 */
export async function convert(options: ConvertOptions, run: RunOptions = {}): Promise<Manifest> {
  if (options.name !== undefined) checkName(options.name);
  const { openSession } = options;
  const levels = checkLevels(options.levels ?? ["fp32"], { openSession });
  const sources = await openSources(options.sources);
  try {
    const { settings, tokenizer, config, graphs, embedding } = await prepare(sources, options);
    const source = { graphs, config, openSession };
    const files = levelFiles(levels, source);
    return await writeModelFolder(options.out, options.replace ?? false, async (folder) => {
      const embeddingsBytes = byteLength(embeddingsDtype(embedding), embedding.shape);
      const plan = await makePlan(folder, files, [
        { path: embeddingsName, bytes: embeddingsBytes, levels },
      ]);
      run.onPlan?.(plan);
      const progress = createReporter(run, plan);
      const dtype = await writeEmbeddings(folder, embeddingsName, embedding, {
        onBytes: (bytes) => progress.onWritten("embeddings", bytes),
        signal: run.signal,
      });
      for (const file of files)
        await writeLevelFile(folder, file, source, { ...progress, signal: run.signal });
      for (const name of tokenizer.names)
        await folder.copy(join(options.sources.phi, name), `tokenizer/${name}`);
      return {
        formatVersion,
        name: options.name ?? settings.name ?? "tinygpt-v",
        weights: settings.weights ?? "trained",
        createdBy: `tinygptv ${version}`,
        config,
        embeddings: { file: embeddingsName, dtype },
        tokenizer: "tokenizer",
        defaultLevel: levels[0]!,
        levels: levelPaths(levels),
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
    return (await prepare(sources, options)).config;
  } finally {
    await closeSources(sources);
  }
}

export type PlanOptions = Pick<
  ConvertOptions,
  "sources" | "settings" | "imageSize" | "allowUnknown"
>;

/** Everything that is decided from names and shapes; what is wrong with the sources is found here. */
async function prepare(sources: Sources, options: PlanOptions) {
  const layout = detectPhiLayout(sources.phi);
  const catalog = collect(sources, layout, options.allowUnknown ?? false);
  requireDimensions(catalog, layout);
  const settings = await settingsFor(catalog, options.settings);
  const { phi: phiFolder, checkpoint } = options.sources;
  const tokenizer = await findTokenizer(phiFolder);
  const config = await deriveConfig(catalog, settings, phiFolder, tokenizer, options.imageSize);
  const loraAlpha = loraAlphaFor(catalog, settings, basename(checkpoint));

  const parameters = createParameters(catalog, config, loraAlpha);
  const graphs = buildGraphs(parameters.weights, config);
  const { vocabSize, width } = config.phi;
  const embedding = parameters.stored("phi.embedding.weight", [vocabSize, width]);
  requireComplete(parameters, catalog, config, layout);
  return { settings, tokenizer, config, graphs, embedding: embedding! };
}

/** All weights under our names, in the reference's loading order: later files override earlier ones. */
export function collect(sources: Sources, layout: PhiLayout, allowUnknown: boolean): Catalog {
  const catalog: Catalog = new Map();
  const tables = [
    { source: sources.phi, table: phiLayouts[layout].table },
    { source: sources.vision, table: sourceTables.vision },
    { source: sources.qformer, table: sourceTables.qformer },
    { source: sources.checkpoint, table: sourceTables.checkpoint },
  ];
  for (const { source, table } of tables) {
    const { unknown } = adopt(catalog, source, table);
    const isStageFile = source === sources.checkpoint;
    if (unknown.length === 0 || (allowUnknown && !isStageFile)) continue;
    // Everything in a stage file was trained, so nothing of it may get lost.
    const remedy = isStageFile
      ? "the reference would drop them in silence; this is the stage file of another model, or a layout we do not know"
      : "if they play no part, go on with --allow-unknown";
    throw new TinyGptvError(
      "layout",
      `${source.path}: want only keys of the published file, got ${unknown.length} that fit nothing: ${list(unknown)} (${remedy})`,
      { subject: unknown[0]! },
    );
  }
  return catalog;
}

/** Strict both ways: nothing missing, nothing left over. */
function requireComplete(
  parameters: Parameters,
  catalog: Catalog,
  config: ModelConfig,
  layout: PhiLayout,
): void {
  if (parameters.missing.length > 0) throw missingError(parameters.missing, layout);
  // The published vision file holds one block more than the model uses.
  const spareBlock = new RegExp(`^vision\\.blocks\\.${config.vision.depth}\\.`);
  const unused = parameters.unused().filter((name) => !spareBlock.test(name));
  if (unused.length > 0)
    throw new TinyGptvError(
      "layout",
      `want ${config.vision.depth} vision blocks, ${config.qformer.numLayers} Q-Former layers and ${config.phi.numLayers} language-model layers, got ${unused.length} weights beyond: ${list(unused.map((name) => catalog.get(name)!.origin))}`,
      { subject: unused[0]! },
    );
}
