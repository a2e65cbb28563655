/**
 * Over how many rows linear layers run, so that no row's result depends on what
 * runs beside it. Kernels take rows in tiles; what is left over (a row by itself,
 * the last one of an odd count) may go through another kernel that adds up in
 * another order, and where activations are rounded to 8 bits the last digit of a
 * sum can decide a token. Which counts are affected depends on the processor and
 * on the format of the weights, so it is tried when a model is opened.
 */
import type { PhiConfig } from "@tinygptv/model";
import { feedsFromNothing } from "@tinygptv/network/feeds";
import type { Session } from "@tinygptv/graph/session";

export interface RowCounts {
  /** The least count of rows, this many or more, at which each is computed alike. */
  padded(rows: number): number;
  /** Whether rows may share a pass at all. */
  readonly sharing: boolean;
}

/** Tiles of 8, 4, 2 and 1, one after the other. */
const probed = 15;
const tiles = [1, 2, 4, 8];

/**
 * Runs one and the same row by itself, many times in a pass, and beside others.
 * @param session the language model's graph (lib/network/src/phi.ts)
 */
export async function findRowCounts(
  session: Pick<Session, "run">,
  config: PhiConfig,
): Promise<RowCounts> {
  const [alone] = await runAlike(session, config, 1);
  const together = await runAlike(session, config, probed);
  const [besideOthers] = await runAlike(session, config, probed, spike);
  const [first] = together;
  const isFirst = (row: readonly Float32Array[]) =>
    row.every((values, i) => values.every((value, j) => Object.is(value, first![i]![j])));
  const same = together.map(isFirst);
  const multiple = tiles.find((tile) =>
    same.slice(0, Math.floor(probed / tile) * tile).every(Boolean),
  );
  // Where all rows of a pass share a range, those that stand out make the others coarser.
  if (multiple === undefined || !isFirst(besideOthers!))
    return { padded: (rows) => rows, sharing: false };
  const least = isFirst(alone!) ? 1 : 2;
  return {
    padded: (rows) => Math.ceil(Math.max(rows, least) / multiple) * multiple,
    sharing: true,
  };
}

/** What stands at a position: something everywhere, or all in one channel, which no norm evens out. */
const even = (channel: number): number => Math.sin(channel + 1);
const spike = (channel: number): number => Number(channel === 0);

/**
 * Runs sequences of one position each, all equal unless others are given than the first. Of each, its values in every layer,
 * which come straight from a linear layer, and its logits: in these alone a last
 * digit may not show, rounded away before the head.
 */
async function runAlike(
  session: Pick<Session, "run">,
  config: PhiConfig,
  count: number,
  others: (channel: number) => number = even,
): Promise<Float32Array[][]> {
  const { width, numLayers } = config;
  const embeds = new Float32Array(count * width).map((_, i) =>
    (i < width ? even : others)(i % width),
  );
  const values = Array.from({ length: numLayers }, (_, layer) => `value.${layer}`);
  const feeds = feedsFromNothing(embeds, config, count);
  const results = await session.run(feeds, ["logits", ...values]);
  return Array.from({ length: count }, (_, row) =>
    Object.values(results).map((data) => {
      const size = data.length / count;
      return data.subarray(row * size, (row + 1) * size);
    }),
  );
}
