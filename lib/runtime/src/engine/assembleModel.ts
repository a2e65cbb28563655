/** A model that answers, put together out of its parts and of what the place it runs in offers. */
import { clipMean, clipStd } from "@tinygptv/model";
import { adapterId, answerOf } from "@tinygptv/protocol";
import type { GenerateRequest, ModelInfo } from "@tinygptv/protocol";
import { promptLookup } from "../decoding/promptLookup.ts";
import { normalize } from "../image/preprocess.ts";
import type { RgbImage } from "../image/rgbImage.ts";
import type { Model, RunOptions } from "../model.ts";
import { generate, score } from "../pipeline.ts";
import type { PipelineParts } from "../pipeline.ts";
import { createImageEncoder } from "../session/imageFeatures.ts";
import type { PictureReading } from "../session/imageFeatures.ts";
import { createPrefixCache } from "../session/prefixCache.ts";
import { noAdapters } from "./adapters.ts";
import { createEventQueue } from "./eventQueue.ts";
import { memoryPlan } from "./memoryPlan.ts";
import type { MemoryOptions } from "./memoryPlan.ts";
import { withAdapter } from "./modelInfo.ts";
import { assembleParts, wholeModel } from "./parts.ts";
import type { OpenableModel } from "./parts.ts";
import { promptChunk } from "./rowWork.ts";
import { createScheduler } from "./scheduler.ts";

/** What a model needs of the place it runs in; Node's is in openModel.ts. */
export interface Platform extends PictureReading {
  /** A picture as a PNG file. */
  encodePng(image: RgbImage): Promise<Uint8Array>;
}

/** How a model runs. */
export interface AssemblyOptions extends MemoryOptions {
  /** Rows of a forward pass at most. */
  maxBatch?: number;
  /**
   * Drafts greedy answers from what was said before (decoding/promptLookup.ts)
   * while nobody else is being answered. Off unless asked for: what is checked
   * several tokens at a time has other last digits than token by token, so where
   * two are nearly as probable an answer may change.
   */
  promptLookup?: boolean;
  /** Adapter beside the model that it answers with, unless a call names another; none unless given. */
  adapter?: string | undefined;
}

/** Finished sequences kept for prompts that begin alike: 800 positions of the full model, of a small one some contexts. */
const prefixCacheBytes = 512 * 2 ** 20;
const prefixCacheContexts = 2;

/**
 * @param info of the level that the files are of, as it runs
 * @throws TinyGptvError "model" naming the file at fault
 */
export async function assembleModel(
  files: OpenableModel,
  info: ModelInfo,
  platform: Platform,
  options: AssemblyOptions = {},
): Promise<Model> {
  const { manifest } = files;
  const { config } = manifest;
  const { cache: cacheBytes } = memoryPlan(manifest, info.level, options);
  const opened = await assembleParts(files, wholeModel, cacheBytes);
  const { tokenizer, embeddings, languageModel } = opened;
  const images = createImageEncoder(opened, config, platform);
  const contextBytes = config.phi.contextLength * languageModel.bytesPerPosition;
  const prefixLimit = Math.min(prefixCacheBytes, prefixCacheContexts * contextBytes, cacheBytes);
  const prefixes = createPrefixCache(languageModel, prefixLimit, promptChunk);
  const scheduler = createScheduler(languageModel, {
    maxBatch: options.maxBatch ?? 8,
    cacheBytes,
    onReserve: (bytes) => prefixes.limitTo(cacheBytes - bytes),
  });
  const plain: PipelineParts = {
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

  /** The parts with an adapter among them, opened where it is new. */
  async function partsWith(adapter: string | undefined = options.adapter): Promise<PipelineParts> {
    if (adapter === undefined) return plain;
    if (!opened.adapters) throw noAdapters(info.id, info.executionProvider);
    const id = adapterId(info.id, adapter);
    return { ...plain, id, adapter: await opened.adapters.open(adapter) };
  }
  const { adapter: own } = await partsWith().catch(async (error: unknown) => {
    await opened.close();
    throw error;
  });

  async function* stream(
    request: GenerateRequest,
    pictures: readonly Uint8Array[],
    { signal, client, adapter }: RunOptions,
  ) {
    // Leaving the iteration cancels the walk, as the caller's signal does.
    const left = new AbortController();
    const combined = signal ? AbortSignal.any([signal, left.signal]) : left.signal;
    const events = createEventQueue();
    partsWith(adapter)
      .then((parts) =>
        generate(parts, request, pictures, { emit: events.push, signal: combined, client }),
      )
      .then(events.end, events.fail);
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
    info: own ? withAdapter(info, own) : info,
    answer(prompt, pictures = [], { signal, client, adapter, ...request } = {}) {
      const all = pictures instanceof Uint8Array ? [pictures] : pictures;
      const whose = { signal, client, adapter };
      return answerOf(stream({ ...request, rounds: [{ prompt }] }, all, whose));
    },
    generate: (request, pictures, run = {}) => stream(request, pictures, run),
    score: async (request, pictures, run = {}) =>
      score(await partsWith(run.adapter), request, pictures, run),
    tokenize: (text) => tokenizer.encode(text).map((id) => ({ id, text: tokenizer.tokenText(id) })),
    detokenize: (ids) => tokenizer.decode(ids, { keepSpecial: true }),
    async preprocess(picture, mode, run = {}) {
      const size = config.vision.imageSize;
      const { original, rgb } = await platform.readSquare(picture, size, { ...run, mode });
      const pixelValues = normalize(rgb, { size, mean: clipMean, std: clipStd });
      const tensorHash = platform.sha256(new Uint8Array(pixelValues.buffer));
      return {
        ...original,
        size,
        tensorHash,
        png: await platform.encodePng({ width: size, height: size, rgb }),
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

/** Rows of drafts run apart from others' single positions: drafting would cost the batch more than it saves. */
function lookUpWhile(isAlone: () => boolean) {
  return (prompt: readonly number[]) => {
    const lookUp = promptLookup(prompt);
    return (tokens: readonly number[]) => (isAlone() ? lookUp(tokens) : []);
  };
}
