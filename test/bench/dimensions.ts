/** The published dimensions, and how much of the depth a benchmark takes. */
import type { ModelConfig } from "../../lib/model/src/config.ts";

export interface Depth {
  /** Layers of the language model. */
  layers: number;
  /** Blocks of the vision encoder. */
  blocks: number;
}

export const fullDepth: Depth = { layers: 32, blocks: 39 };
export const quickDepth: Depth = { layers: 8, blocks: 4 };

export function publishedConfig({ layers, blocks }: Depth): ModelConfig {
  return {
    vision: {
      imageSize: 448,
      patchSize: 14,
      width: 1408,
      depth: blocks,
      numHeads: 16,
      mlpWidth: 6144,
      normEps: 1e-6,
      finalNormEps: 1e-5,
    },
    qformer: {
      width: 768,
      numLayers: 12,
      numHeads: 12,
      mlpWidth: 3072,
      crossAttentionFrequency: 2,
      numQueryTokens: 32,
      layerNormEps: 1e-12,
    },
    mapping: { width: 4096 },
    phi: {
      width: 2560,
      numLayers: layers,
      numHeads: 32,
      headDim: 80,
      rotaryDim: 32,
      ropeTheta: 10000,
      mlpWidth: 10240,
      vocabSize: 51200,
      layerNormEps: 1e-5,
      postNormEps: 1e-6,
      contextLength: 2048,
    },
    tokens: { endOfText: 50256, stop: 21017 },
  };
}
