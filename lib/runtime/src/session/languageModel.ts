import type { PhiConfig } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";
import type { ForwardLogits, ForwardRow, LanguageModel, Sequence } from "../decoding/sequence.ts";
import type { TokenEmbeddings } from "./embeddings.ts";
import { KvCache, bytesPerPosition, capacityFor, letGo } from "./kvCache.ts";
import type { KvPool } from "./kvCache.ts";
import type { SequenceShelf } from "./prefixCache.ts";
import type { Session, SessionTensor } from "@tinygptv/graph/session";
import type { RowCounts } from "./rowCounts.ts";
import { CachedSequences } from "./sequences.ts";

/**
 * Runs the language model's graph (models/phi.ts) over cached sequences. A row's
 * result is the same bit for bit whatever runs beside it.
 * @param cacheBytes what their keys and values may take; the scheduler keeps to it by whom it lets in
 */
export function createLanguageModel(
  session: Session,
  embeddings: TokenEmbeddings,
  config: PhiConfig,
  rowCounts: RowCounts,
  cacheBytes = Infinity,
): LanguageModel & SequenceShelf {
  const { width, vocabSize, contextLength, numLayers } = config;
  const cache = new KvCache(config, cacheBytes);
  const sequences = new CachedSequences(cache);
  const layers = Array.from({ length: numLayers }, (_, layer) => layer);
  const outputs = ["logits", ...layers.flatMap((layer) => [`key.${layer}`, `value.${layer}`])];
  const pastFeeds = createPastFeeds(config);
  /** Embeddings of a step, (B,S,H); as long as the longest step so far. */
  let embedsBuffer = new Float32Array(0);

  async function forward(rows: readonly ForwardRow[]): Promise<ForwardLogits> {
    const counts = rows.map(({ input }) =>
      "tokens" in input ? input.tokens.length : input.embeds.length / width,
    );
    rows.forEach(({ sequence }, i) => expectRoom(sequence, counts[i]!, contextLength));
    sequences.reserve(new Map(rows.map(({ sequence }, i) => [sequence, counts[i]!])));
    const logits: Float32Array[] = [];
    for (const members of passesOf(rows, counts)) {
      const own = await pass(
        members.map((i) => rows[i]!),
        counts[members[0]!]!,
      );
      members.forEach((i, j) => (logits[i] = own[j]!));
    }
    return logits;
  }

  /**
   * Indices of the rows that run together: of one capacity, since over the
   * longest's attention would cost all as much, and with one count of positions,
   * since padded a row would stand elsewhere in a kernel's tiles.
   */
  function passesOf(rows: readonly ForwardRow[], counts: readonly number[]): number[][] {
    if (!rowCounts.sharing) return rows.map((_, i) => [i]);
    const poolOf = (i: number) => sequences.placeOf(rows[i]!.sequence).pool;
    const pools = Map.groupBy(rows.keys(), poolOf);
    return [...pools.values()].flatMap((members) => [
      ...Map.groupBy(members, (i) => counts[i]!).values(),
    ]);
  }

  /** One run of the graph, over as many positions of each row; their sequences stand in one pool. */
  async function pass(rows: readonly ForwardRow[], count: number): Promise<ForwardLogits> {
    const { pool } = sequences.placeOf(rows[0]!.sequence);
    const batch = rows.length;
    const { first, rows: batchRows } = sequences.gather(rows.map(({ sequence }) => sequence));
    const inputs = batch * count;

    const size = inputs * width;
    if (embedsBuffer.length < size) embedsBuffer = new Float32Array(size);
    const embeds = embedsBuffer.subarray(0, size); // (B,S,H)
    const pastLength = new BigInt64Array(batch);
    rows.forEach(({ sequence, input }, i) => {
      const offset = batchRows[i]! * count * width;
      if ("tokens" in input) embeddings.lookUp(input.tokens, embeds, offset);
      else embeds.set(input.embeds, offset);
      pastLength[batchRows[i]!] = BigInt(sequence.length);
    });
    // Per row, the positions whose logits are wanted, as indices into the B·S inputs.
    const wanted = rows.map(({ logits }, i) => {
      const end = (batchRows[i]! + 1) * count;
      const length = logits === "all" ? count : logits === "last" ? 1 : 0;
      return Array.from({ length }, (_, j) => end - length + j);
    });

    const results = await session.run(
      {
        inputs_embeds: { dtype: "float32", shape: [batch, count, width], data: embeds },
        padding: zeros(rowCounts.padded(inputs) - inputs, width),
        past_length: { dtype: "int64", shape: [batch], data: pastLength },
        logits_rows: int64(paddedRows(wanted.flat())),
        // A batch that starts from nothing needs no look at the cache.
        ...pastFeeds(pool, {
          first,
          held: rows.every(({ sequence }) => sequence.length === 0) ? 0 : batch,
          batch,
        }),
      },
      outputs,
    );

    rows.forEach(({ sequence }, i) => {
      for (const layer of layers)
        pool.append(layer, first + batchRows[i]!, sequence.length, {
          key: results[`key.${layer}`]!,
          value: results[`value.${layer}`]!,
          row: batchRows[i]!,
          count,
        });
      sequences.extend(sequence, count);
    });
    for (const layer of layers) {
      letGo(results[`key.${layer}`]!);
      letGo(results[`value.${layer}`]!);
    }

    let offset = 0;
    return wanted.map(({ length }) => {
      const logits = results.logits!.subarray(offset, offset + length * vocabSize);
      offset += length * vocabSize;
      return logits;
    });
  }

  /** The last layer runs over these rows alone; those added are never looked at. */
  function paddedRows(wanted: readonly number[]): number[] {
    const count = wanted.length === 0 ? 0 : rowCounts.padded(wanted.length);
    return Array.from({ length: count }, (_, i) => wanted[i] ?? wanted[0]!);
  }

  return {
    vocabularySize: vocabSize,
    width,
    contextLength,
    bytesFor: (positions) => capacityFor(positions, config) * bytesPerPosition(config),
    bytesPerPosition: bytesPerPosition(config),
    create: () => sequences.create(),
    fork: (parent) => sequences.fork(parent),
    reorder: (targets, parents) => sequences.reorder(targets, parents),
    truncate: (sequence, length) => sequences.truncate(sequence, length),
    release: (sequence) => sequences.release(sequence),
    save: (sequence, length) => sequences.save(sequence, length),
    discard: (saved) => sequences.discard(saved),
    restore: (saved, length) => sequences.restore(saved, length),
    forward,
  };
}

type Feeds = Readonly<Record<string, SessionTensor>>;

/** Cached keys and values as inputs of the graph, made anew only where the batch has changed or the cache has moved. */
function createPastFeeds({ numLayers, numHeads, headDim }: PhiConfig) {
  const known = new WeakMap<KvPool, { key: string; feeds: Feeds }>();
  /** @param rows.held rows of the batch that are in the cache: all or none */
  return (pool: KvPool, rows: { first: number; held: number; batch: number }): Feeds => {
    const { first, held, batch } = rows;
    const key = `${pool.generation} ${first} ${held} ${batch}`;
    const before = known.get(pool);
    if (before?.key === key) return before.feeds;
    const shape = [batch, numHeads, held === 0 ? 0 : pool.capacity, headDim];
    const feeds: Record<string, SessionTensor> = {};
    for (let layer = 0; layer < numLayers; layer++) {
      const views = pool.view(layer, first, held);
      feeds[`past_key.${layer}`] = { dtype: "float32", shape, data: views.key };
      feeds[`past_value.${layer}`] = { dtype: "float32", shape, data: views.value };
    }
    known.set(pool, { key, feeds });
    return feeds;
  };
}

function zeros(rows: number, width: number): SessionTensor {
  return { dtype: "float32", shape: [rows, width], data: new Float32Array(rows * width) };
}

function int64(values: readonly number[]): SessionTensor {
  return { dtype: "int64", shape: [values.length], data: BigInt64Array.from(values, BigInt) };
}

function expectRoom(sequence: Sequence, count: number, contextLength: number): void {
  if (count < 1) throw new TinyGptvError("prompt", "input: want at least one position, got none");
  if (sequence.length + count > contextLength)
    throw new TinyGptvError(
      "context",
      `context: want at most ${contextLength} positions, got ${sequence.length} and ${count} more`,
    );
}
