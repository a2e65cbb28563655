/**
 * What the language model's graph is given, by its form of attention.
 * @module @tinygptv/network/feeds
 */
import type { SessionTensor } from "@tinygptv/graph/session";
import type { PhiConfig } from "@tinygptv/model";

type Feeds = Record<string, SessionTensor>;

/** Added to the scores of positions that must not be seen; finite, so that a row without any stays finite too. */
export const hidden = { float32: -3e38, float16: -6e4 };

/** Split attention over prompts with nothing before them. @param embeds (B,S,H) @param rows B */
export function feedsFromNothing(embeds: Float32Array, config: PhiConfig, rows = 1): Feeds {
  const { width, numHeads, headDim } = config;
  const inputs = embeds.length / width;
  const past = floats([rows, numHeads, 0, headDim]);
  return {
    inputs_embeds: floats([rows, inputs / rows, width], embeds),
    padding: floats([0, width]),
    past_length: integers(Array<number>(rows).fill(0)),
    logits_rows: integers(range(inputs)),
    ...perLayer(config, past, past),
  };
}

/** Attention in place over a prompt with nothing before it, in a cache as long as it. @param embeds (1,S,H) */
export function inPlaceFeedsFromNothing(embeds: Float32Array, config: PhiConfig): Feeds {
  const { width, numHeads, headDim } = config;
  const length = embeds.length / width;
  return {
    inputs_embeds: floats([1, length, width], embeds),
    ...inPlaceFeeds([0], { count: length, capacity: length }, hidden.float32),
    logits_rows: integers(range(length)),
    ...perLayer(
      config,
      floats([1, numHeads, headDim, length]),
      floats([1, numHeads, length, headDim]),
    ),
  };
}

/**
 * Attention in place: positions, where they go, and which of the cache each may see.
 * @param lengths of each row, positions that it holds; `count` more are run
 * @param masked of `hidden`, what the graph's precision has
 */
export function inPlaceFeeds(
  lengths: readonly number[],
  { count, capacity }: { count: number; capacity: number },
  masked: number,
): Feeds {
  const rows = lengths.length;
  const positions = lengths.flatMap((length) => range(count).map((i) => length + i));
  const mask = new Float32Array(positions.length * capacity);
  positions.forEach((position, input) =>
    mask.fill(masked, input * capacity + position + 1, (input + 1) * capacity),
  );
  return {
    positions: integers(positions, [rows, count]),
    slots: { dtype: "int32", shape: [rows, count], data: Int32Array.from(positions) },
    mask: floats([rows, 1, count, capacity], mask),
  };
}

/** Grouped attention: where each row ends, and the longest. @param lengths as for attention in place */
export function groupedFeeds(lengths: readonly number[], count: number): Feeds {
  const last = Int32Array.from(lengths, (length) => length + count - 1);
  return {
    last_position: { dtype: "int32", shape: [lengths.length], data: last },
    total_length: { dtype: "int32", shape: [], data: Int32Array.of(Math.max(...last) + 1) },
  };
}

/** Whole numbers as int64; a list unless a shape is given. */
export function integers(
  values: readonly number[],
  shape: readonly number[] = [values.length],
): SessionTensor {
  return { dtype: "int64", shape, data: BigInt64Array.from(values, BigInt) };
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

const range = (length: number) => Array.from({ length }, (_, i) => i);
