/** Opens one level of a converted model folder: files checked, sessions loaded, parts put together. */
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { adapterNames, readAdapterManifest, readManifest } from "@tinygptv/model/disk";
import type { Manifest } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";
import type { ModelInfo, PrecisionChoice, Provider } from "@tinygptv/protocol";
import { checkImage } from "../image/decode.ts";
import { encodePng } from "../image/encodePng.ts";
import type { Model } from "../model.ts";
import { integerWeightsOf } from "../session/integerWeights.ts";
import { assembleModel } from "./assembleModel.ts";
import { chooseExecution, describeExecution } from "./execution.ts";
import type { AssemblyOptions, Platform } from "./assembleModel.ts";
import type { GraphOptions } from "./openGraph.ts";
import type { MemoryOptions } from "./memoryPlan.ts";
import { precisionFor } from "./gpuChoice.ts";
import { describe, levelsOf, withAdapter } from "./modelInfo.ts";
import { listedAdapter } from "./adapters.ts";
import type { ListedAdapter } from "./adapters.ts";
import { inFolder } from "./openParts.ts";
import { graphsOf } from "./parts.ts";
import { createPictureQueue } from "./pictureQueue.ts";

const node: Platform = {
  // One for all models of the process: they share its memory and threads.
  readSquare: createPictureQueue(checkImage),
  sha256: (bytes) => createHash("sha256").update(bytes).digest("hex"),
  encodePng,
};

/** How a level of a model is opened. */
export interface OpenOptions extends GraphOptions, AssemblyOptions {
  /** Quantization level; the manifest's default unless given. */
  level?: string;
  /** What runs it; the processor unless given. */
  provider?: Provider | undefined;
  /** In what precision the language model computes on a GPU; the best that is right there unless given. */
  precision?: PrecisionChoice | undefined;
}

/** The levels of a converted folder, without loading anything. */
export async function listLevels(folder: string, memory: MemoryOptions = {}): Promise<ModelInfo[]> {
  return levelsOf(await readManifest(folder), memory);
}

/** The levels of a converted folder, and each with every adapter beside it, without loading anything. */
export async function listModels(folder: string, memory: MemoryOptions = {}): Promise<ModelInfo[]> {
  const levels = await listLevels(folder, memory);
  const adapters = await listAdapters(folder);
  return [
    ...levels,
    ...levels.flatMap((level) => adapters.map((adapter) => withAdapter(level, adapter))),
  ];
}

/** The adapters beside a model. @throws TinyGptvError "model" for a damaged one */
export async function listAdapters(folder: string): Promise<ListedAdapter[]> {
  const names = await adapterNames(folder);
  return Promise.all(
    names.map(async (name) =>
      listedAdapter(name, (await readAdapterManifest(folder, name)).manifest),
    ),
  );
}

/**
 * Loads a level. Errors have code "model" and name the file at fault, or what a provider lacks;
 * adapters beside the model are opened when they are asked for.
 */
export async function openModel(folder: string, options: OpenOptions = {}): Promise<Model> {
  const manifest = await readManifest(folder);
  const level = options.level ?? manifest.defaultLevel;
  const listed = describe(manifest, level, options);
  await checkFiles(folder, manifest);
  const files = graphsOf(manifest, level);
  const execution = await chooseExecution(
    options.provider ?? "cpu",
    precisionFor(level, options.precision),
  );
  const onProcessor = execution.provider !== "webgpu";
  const integerWeights = onProcessor
    ? await integerWeightsOf(join(folder, files.vision))
    : undefined;
  const info = {
    ...listed,
    loaded: true,
    executionProvider: execution.provider,
    execution: describeExecution(execution),
    integerWeights,
  };
  const parts = inFolder({ folder, manifest, files }, { ...options, execution });
  return assembleModel(parts, info, node, options);
}

/** Every file of the manifest must be there in full; what is inside is ONNX Runtime's to check. */
async function checkFiles(folder: string, { files }: Manifest): Promise<void> {
  for (const { path, bytes } of files) {
    const found = await stat(join(folder, path)).catch(() => undefined);
    if (found?.size !== bytes)
      throw new TinyGptvError(
        "model",
        `${join(folder, path)}: want ${bytes} bytes, got ${found ? found.size : "no such file"}; convert the model again`,
      );
  }
}
