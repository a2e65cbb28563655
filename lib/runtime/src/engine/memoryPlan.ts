import type { Manifest, ModelConfig } from "@tinygptv/model";
import { bytesPerPosition, capacityFor } from "../session/kvCache.ts";
import { featureCacheBytes } from "../session/imageFeatures.ts";
import { graphsOf } from "./parts.ts";
import { pictureBytes } from "./pictureQueue.ts";
import { promptChunk } from "./rowWork.ts";

/** What a level may come to take, in bytes, by what for. */
export interface MemoryPlan {
  /** Graphs as ONNX Runtime holds them. */
  readonly weights: number;
  /** Keys and values of running sequences and of those kept as prefixes: what the scheduler admits by. */
  readonly cache: number;
  /** Features of pictures kept. */
  readonly features: number;
  /** What a forward pass of the language model computes with, at the end of the longest context. */
  readonly pass: number;
  /** What the vision encoder computes with. */
  readonly vision: number;
  /** Pictures being decoded; once, however many models a process has. */
  readonly pictures: number;
  /** The process itself; once, too. */
  readonly process: number;
}

/** What a plan of memory can be told. */
export interface MemoryOptions {
  /** Bytes for keys and values; what a whole context and eight short answers take unless given, and for small models some contexts more. */
  cacheBytes?: number | undefined;
}

/** Node, ONNX Runtime, sharp and the code: what a process has before it has a model, and garbage. */
const processBytes = 256 * 2 ** 20;
/** Decoding lets a second client in beside the first (pictureQueue.ts). */
const decodingBytes = 2 * pictureBytes;
/** Of every plan, what all models of a process share. */
export const sharedBytes = processBytes + decodingBytes;

/** Kernels keep weights in an order of their own, with sums beside them: measured, a tenth at most. */
const packing = 1.1;
/** Short answers that the cache has room for beside one of a whole context. */
const shortAnswers = 8;
/** Below this, the cache has room for so many whole contexts as fit. */
const modestCache = 256 * 2 ** 20;
const modestContexts = 16;

/** @throws TinyGptvError "model" where the manifest has no such level */
export function memoryPlan(
  manifest: Manifest,
  level: string,
  { cacheBytes }: MemoryOptions = {},
): MemoryPlan {
  const { config } = manifest;
  const files = new Set(
    Object.values(graphsOf(manifest, level)).flatMap((file) => [file, `${file}.data`]),
  );
  const graphs = manifest.files
    .filter(({ path }) => files.has(path))
    .reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    weights: Math.ceil(packing * graphs),
    cache: cacheBytes ?? defaultCache(config),
    features: featureCacheBytes,
    pass: languageModelPass(config),
    vision: visionPass(config),
    pictures: decodingBytes,
    process: processBytes,
  };
}

/** All of a plan: what is said of a level, and held against the memory limit. */
export function totalOf(plan: MemoryPlan): number {
  return Object.values(plan).reduce((sum: number, bytes: number) => sum + bytes, 0);
}

function defaultCache({ phi }: ModelConfig): number {
  const position = bytesPerPosition(phi);
  const context = position * capacityFor(phi.contextLength, phi);
  const short = position * capacityFor(1, phi);
  const some = Math.min(modestContexts, Math.floor(modestCache / context));
  return Math.max(context + shortAnswers * short, some * context);
}

/** A chunk of the most positions at the end of the longest context. */
function languageModelPass({ phi }: ModelConfig): number {
  const { width, mlpWidth, numHeads, vocabSize, contextLength } = phi;
  const positions = promptChunk;
  // Residuals, inputs and outputs of the layers, qkv; the MLP before and after its activation.
  const layers = 4 * positions * (8 * width + 2 * mlpWidth);
  // Scores over past and new, joined, and their softmax.
  const attention = 4 * 4 * positions * numHeads * (contextLength + positions);
  // New keys and values: ONNX Runtime's and the binding's copy.
  const outputs = 2 * positions * bytesPerPosition(phi);
  // Of given tokens, logits are wanted at every position: as ONNX Runtime's, copied, and joined.
  const logits = 3 * 4 * positions * vocabSize;
  return layers + attention + outputs + logits;
}

function visionPass({ vision }: ModelConfig): number {
  const tokens = (vision.imageSize / vision.patchSize) ** 2 + 1;
  const layers = 4 * tokens * (8 * vision.width + 2 * vision.mlpWidth);
  const attention = 3 * 4 * vision.numHeads * tokens ** 2;
  return layers + attention;
}
