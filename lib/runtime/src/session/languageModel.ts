import type { PhiConfig } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";
import type { ForwardLogits, ForwardRow, LanguageModel, Sequence } from "../decoding/sequence.ts";
import type { Adapter } from "./adapter.ts";
import { KvCache, bytesPerPosition, capacityOf } from "./kvCache.ts";
import type { CacheStorage } from "./cacheStorage.ts";
import type { PassRunner } from "./pass.ts";
import type { SequenceShelf } from "./prefixCache.ts";
import { CachedSequences } from "./sequences.ts";

/**
 * Runs the language model's graph (lib/network/src/phi.ts) over cached sequences.
 * A row's result is the same bit for bit whatever runs beside it.
 * @param cacheBytes what their keys and values may take; the scheduler keeps to it by whom it lets in
 */
export function createLanguageModel<Storage extends CacheStorage>(
  passes: PassRunner<Storage>,
  config: PhiConfig,
  cacheBytes = Infinity,
): LanguageModel & SequenceShelf {
  const { width, vocabSize, contextLength } = config;
  const { kind } = passes;
  const positionBytes = bytesPerPosition(kind.shape, kind.bytesPerElement);
  const sequences = new CachedSequences(new KvCache(kind, cacheBytes));

  async function forward(rows: readonly ForwardRow[]): Promise<ForwardLogits> {
    const counts = rows.map(({ input }) =>
      "tokens" in input ? input.tokens.length : input.embeds.length / width,
    );
    rows.forEach(({ sequence }, i) => expectRoom(sequence, counts[i]!, contextLength));
    sequences.reserve(new Map(rows.map(({ sequence }, i) => [sequence, counts[i]!])));
    const logits: Float32Array[] = [];
    for (const members of passesOf(rows, counts)) {
      const count = counts[members[0]!]!;
      const own = await pass(
        members.map((i) => rows[i]!),
        count,
      );
      members.forEach((i, j) => (logits[i] = own[j]!));
    }
    return logits;
  }

  /**
   * Indices of the rows that run together: with one adapter, or none; of one
   * capacity, since over the longest's attention would cost all as much; and with
   * one count of positions, since padded a row would stand elsewhere in a kernel's tiles.
   */
  function passesOf(rows: readonly ForwardRow[], counts: readonly number[]): number[][] {
    const poolOf = (i: number) => sequences.placeOf(rows[i]!.sequence).pool;
    const adapters = Map.groupBy(rows.keys(), (i) => sequences.adapterOf(rows[i]!.sequence));
    return [...adapters].flatMap(([adapter, own]) =>
      [...Map.groupBy(own, poolOf).values()].flatMap((members) =>
        [...Map.groupBy(members, (i) => counts[i]!)].flatMap(([count, alike]) =>
          passes.canShare(count, adapter) ? [alike] : alike.map((i) => [i]),
        ),
      ),
    );
  }

  /** One run of the graph, over as many positions of each row; their sequences stand in one pool. */
  async function pass(rows: readonly ForwardRow[], count: number): Promise<ForwardLogits> {
    const { pool } = sequences.placeOf(rows[0]!.sequence);
    const adapter = sequences.adapterOf(rows[0]!.sequence);
    const { first, rows: places } = sequences.gather(rows.map(({ sequence }) => sequence));
    const logits = await passes.run({ rows, count, pool, first, places, adapter });
    for (const { sequence } of rows) sequences.extend(sequence, count);
    return logits;
  }

  return {
    vocabularySize: vocabSize,
    width,
    contextLength,
    bytesFor: (positions) => capacityOf(kind, positions) * positionBytes,
    bytesPerPosition: positionBytes,
    create: (adapter?: Adapter) => sequences.create(adapter),
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

function expectRoom(sequence: Sequence, count: number, contextLength: number): void {
  if (count < 1) throw new TinyGptvError("prompt", "input: want at least one position, got none");
  if (sequence.length + count > contextLength)
    throw new TinyGptvError(
      "context",
      `context: want at most ${contextLength} positions, got ${sequence.length} and ${count} more`,
    );
}
