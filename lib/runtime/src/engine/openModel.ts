/** Opens one level of a converted model folder: files checked, sessions loaded, parts put together. */
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { clipMean, clipStd, readManifest } from "@tinygptv/model";
import type { Manifest } from "@tinygptv/model";
import { TinyGptvError, answerOf } from "@tinygptv/protocol";
import type { GenerateRequest, ModelInfo } from "@tinygptv/protocol";
import { promptLookup } from "../decoding/promptLookup.ts";
import { encodePng, normalize } from "../image/preprocess.ts";
import type { Model, RunOptions } from "../model.ts";
import { generate, score } from "../pipeline.ts";
import { createImageEncoder } from "../session/imageFeatures.ts";
import { integerWeightsOf } from "../session/integerWeights.ts";
import { createPrefixCache } from "../session/prefixCache.ts";
import { createEventQueue } from "./eventQueue.ts";
import type { GraphOptions } from "./openGraph.ts";
import { memoryPlan, totalOf } from "./memoryPlan.ts";
import type { MemoryOptions } from "./memoryPlan.ts";
import { graphsOf, openParts, wholeModel } from "./openParts.ts";
import { createPictureQueue } from "./pictureQueue.ts";
import { promptChunk } from "./rowWork.ts";
import { createScheduler } from "./scheduler.ts";

/** One for all models of the process: they share its memory and threads. */
const readSquare = createPictureQueue();

/** How a level of a model is opened. */
export interface OpenOptions extends GraphOptions, MemoryOptions {
  /** Quantization level; the manifest's default unless given. */
  level?: string;
  /** Rows of a forward pass at most. */
  maxBatch?: number;
  /**
   * Drafts greedy answers from what was said before (decoding/promptLookup.ts)
   * while nobody else is being answered. Off unless asked for: what is checked
   * several tokens at a time has other last digits than token by token, so where
   * two are nearly as probable an answer may change.
   */
  promptLookup?: boolean;
}

/** Finished sequences kept for prompts that begin alike: 800 positions of the full model, of a small one some contexts. */
const prefixCacheBytes = 512 * 2 ** 20;
const prefixCacheContexts = 2;

/** The levels of a converted folder, without loading anything. */
export async function listModels(folder: string, memory: MemoryOptions = {}): Promise<ModelInfo[]> {
  const manifest = await readManifest(folder);
  const { [manifest.defaultLevel]: _, ...others } = manifest.levels;
  return [manifest.defaultLevel, ...Object.keys(others)].map((level) =>
    describe(manifest, level, memory),
  );
}

/** Loads a level. Errors have code "model" and name the file at fault. */
export async function openModel(folder: string, options: OpenOptions = {}): Promise<Model> {
  const manifest = await readManifest(folder);
  const level = options.level ?? manifest.defaultLevel;
  const info = describe(manifest, level, options);
  await checkFiles(folder, manifest);
  const { config } = manifest;
  const files = graphsOf(manifest, level);
  const integerWeights = await integerWeightsOf(join(folder, files.vision));
  const { cache: cacheBytes } = memoryPlan(manifest, level, options);
  const opened = await openParts({ folder, manifest, files }, wholeModel, {
    ...options,
    cacheBytes,
  });
  const { tokenizer, embeddings, languageModel } = opened;
  const images = createImageEncoder(opened, config, readSquare);
  const contextBytes = config.phi.contextLength * languageModel.bytesPerPosition;
  const prefixLimit = Math.min(prefixCacheBytes, prefixCacheContexts * contextBytes, cacheBytes);
  const prefixes = createPrefixCache(languageModel, prefixLimit, promptChunk);
  const scheduler = createScheduler(languageModel, {
    maxBatch: options.maxBatch ?? 8,
    cacheBytes,
    onReserve: (bytes) => prefixes.limitTo(cacheBytes - bytes),
  });
  const parts = {
    id: info.id,
    config,
    tokenizer,
    images,
    embeddings,
    languageModel,
    prefixes,
    run: scheduler.run,
    ...(options.promptLookup ? { draft: lookUpWhile(scheduler.isAlone) } : {}),
  };
  let generatedTokens = 0;

  async function* stream(
    request: GenerateRequest,
    pictures: readonly Uint8Array[],
    { signal, client }: RunOptions,
  ) {
    // Leaving the iteration cancels the walk, as the caller's signal does.
    const left = new AbortController();
    const combined = signal ? AbortSignal.any([signal, left.signal]) : left.signal;
    const events = createEventQueue();
    generate(parts, request, pictures, { emit: events.push, signal: combined, client }).then(
      events.end,
      events.fail,
    );
    try {
      for await (const event of events) {
        if (event.type === "token") generatedTokens++;
        yield event;
      }
    } finally {
      left.abort();
    }
  }

  return {
    info: { ...info, loaded: true, executionProvider: "cpu", integerWeights },
    answer(prompt, pictures = [], { signal, client, ...request } = {}) {
      const all = pictures instanceof Uint8Array ? [pictures] : pictures;
      return answerOf(stream({ ...request, rounds: [{ prompt }] }, all, { signal, client }));
    },
    generate: (request, pictures, run = {}) => stream(request, pictures, run),
    score: (request, pictures, run = {}) => score(parts, request, pictures, run),
    tokenize: (text) => tokenizer.encode(text).map((id) => ({ id, text: tokenizer.tokenText(id) })),
    detokenize: (ids) => tokenizer.decode(ids, { keepSpecial: true }),
    async preprocess(picture, mode, run = {}) {
      const size = config.vision.imageSize;
      const { original, rgb } = await readSquare(picture, size, { ...run, mode });
      const pixelValues = normalize(rgb, { size, mean: clipMean, std: clipStd });
      const tensorHash = createHash("sha256")
        .update(new Uint8Array(pixelValues.buffer))
        .digest("hex");
      return {
        ...original,
        size,
        tensorHash,
        png: await encodePng({ width: size, height: size, rgb }),
      };
    },
    counters: () => ({
      imageCacheHits: images.hits,
      imageCacheMisses: images.misses,
      prefixCachedTokens: prefixes.reused,
      generatedTokens,
      batchSize: scheduler.gauges().batchSize,
    }),
    async close() {
      prefixes.clear();
      await opened.close();
    },
  };
}

function describe(manifest: Manifest, level: string, memory: MemoryOptions): ModelInfo {
  const { config } = manifest;
  const graphs = Object.values(graphsOf(manifest, level));
  const used = new Set(graphs.flatMap((file) => [file, `${file}.data`]));
  const graphBytes = sum(manifest.files.filter(({ path }) => used.has(path)));
  const shared = sum(
    manifest.files.filter(
      ({ path }) => path === manifest.embeddings.file || path.startsWith(`${manifest.tokenizer}/`),
    ),
  );
  return {
    id: `${manifest.name}:${level}`,
    name: manifest.name,
    level,
    weights: manifest.weights,
    fileBytes: graphBytes + shared,
    memoryBytes: totalOf(memoryPlan(manifest, level, memory)),
    contextLength: config.phi.contextLength,
    imageSize: config.vision.imageSize,
    loaded: false,
    executionProvider: undefined,
    integerWeights: undefined,
  };
}

/** Rows of drafts run apart from others' single positions: drafting would cost the batch more than it saves. */
function lookUpWhile(isAlone: () => boolean) {
  return (prompt: readonly number[]) => {
    const lookUp = promptLookup(prompt);
    return (tokens: readonly number[]) => (isAlone() ? lookUp(tokens) : []);
  };
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

function sum(files: readonly { bytes: number }[]): number {
  return files.reduce((total, { bytes }) => total + bytes, 0);
}
