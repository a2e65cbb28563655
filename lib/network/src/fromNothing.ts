/**
 * What the language model's graph is given to run prompts with nothing before them.
 * @module @tinygptv/network/feeds
 */
import type { SessionTensor } from "@tinygptv/graph/session";
import type { PhiConfig } from "@tinygptv/model";

type Feeds = Record<string, SessionTensor>;

/**
 * For split attention.
 * @param embeds (B,S,H) @param rows B
 */
export function feedsFromNothing(embeds: Float32Array, config: PhiConfig, rows = 1): Feeds {
  const { width, numHeads, headDim } = config;
  const inputs = embeds.length / width;
  const past = floats([rows, numHeads, 0, headDim]);
  return {
    inputs_embeds: floats([rows, inputs / rows, width], embeds),
    padding: floats([0, width]),
    past_length: integers([rows], () => 0),
    logits_rows: integers([inputs], (i) => i),
    ...perLayer(config, past, past),
  };
}

/** For attention in place, over a cache as long as the prompt. @param embeds (1,S,H) */
export function inPlaceFeedsFromNothing(embeds: Float32Array, config: PhiConfig): Feeds {
  const { width, numHeads, headDim } = config;
  const length = embeds.length / width;
  const mask = new Float32Array(length * length);
  for (let i = 0; i < length; i++) mask.fill(-3e38, i * length + i + 1, (i + 1) * length);
  return {
    inputs_embeds: floats([1, length, width], embeds),
    positions: integers([1, length], (i) => i),
    slots: { dtype: "int32", shape: [1, length], data: Int32Array.from({ length }, (_, i) => i) },
    mask: floats([1, 1, length, length], mask),
    logits_rows: integers([length], (i) => i),
    ...perLayer(
      config,
      floats([1, numHeads, headDim, length]),
      floats([1, numHeads, length, headDim]),
    ),
  };
}

function perLayer({ numLayers }: PhiConfig, key: SessionTensor, value: SessionTensor): Feeds {
  const feeds: Feeds = {};
  for (let layer = 0; layer < numLayers; layer++) {
    feeds[`past_key.${layer}`] = key;
    feeds[`past_value.${layer}`] = value;
  }
  return feeds;
}

/** Zeros unless given. */
function floats(shape: readonly number[], data?: Float32Array): SessionTensor {
  const count = shape.reduce((a, b) => a * b, 1);
  return { dtype: "float32", shape, data: data ?? new Float32Array(count) };
}

function integers(shape: readonly number[], at: (i: number) => number): SessionTensor {
  const length = shape.reduce((a, b) => a * b, 1);
  return { dtype: "int64", shape, data: BigInt64Array.from({ length }, (_, i) => BigInt(at(i))) };
}
