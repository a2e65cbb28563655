/** One run of the language model's graph over sequences that stand in one pool: what differs between processors and devices. */
import type { ForwardLogits, ForwardRow } from "../decoding/sequence.ts";
import type { Adapter } from "./adapter.ts";
import type { CacheKind, CacheStorage } from "./cacheStorage.ts";
import type { KvPool } from "./kvPool.ts";

/** Rows of one pass: in their order, and where they stand. */
export interface Batch<Storage extends CacheStorage> {
  readonly rows: readonly ForwardRow[];
  /** Positions of each. */
  readonly count: number;
  readonly pool: KvPool<Storage>;
  /** Its slots are neighbours, from this one on. */
  readonly first: number;
  /** Of each row, its place among those slots. */
  readonly places: readonly number[];
  /** What all of them are run with beside the model's weights; nothing where undefined. */
  readonly adapter: Adapter | undefined;
}

export interface PassRunner<Storage extends CacheStorage> {
  readonly kind: CacheKind<Storage>;
  /** Whether rows of so many positions may run together. */
  canShare(count: number, adapter: Adapter | undefined): boolean;
  /** Runs a batch and keeps the keys and values of its positions; the sequences are as long as before. */
  run(batch: Batch<Storage>): Promise<ForwardLogits>;
  /** Gives back what it holds beside the graph. */
  close(): Promise<void>;
}

/** Per row, the positions whose logits are wanted, as indices into the inputs of all places. */
export function wantedLogits({ rows, count, places }: Batch<CacheStorage>): number[][] {
  return rows.map(({ logits }, i) => {
    const end = (places[i]! + 1) * count;
    const length = logits === "all" ? count : logits === "last" ? 1 : 0;
    return Array.from({ length }, (_, j) => end - length + j);
  });
}

/** Logits of all wanted positions, row by row. @param logits [wanted, vocabulary], more behind them */
export function logitsByRow(
  logits: Float32Array,
  wanted: readonly (readonly number[])[],
  vocabSize: number,
): ForwardLogits {
  let offset = 0;
  return wanted.map(({ length }) => {
    const own = logits.subarray(offset, offset + length * vocabSize);
    offset += length * vocabSize;
    return own;
  });
}

/** Whether all logits are numbers: one that is not makes their sum none. */
export function areNumbers(logits: Float32Array): boolean {
  let sum = 0;
  for (const value of logits) sum += value;
  return Number.isFinite(sum);
}

/** Embeddings of a batch's inputs, (B,S,H), in one buffer that grows to the longest pass so far. */
export function inputBuffer(width: number, lookUp: TokenLookUp) {
  let buffer = new Float32Array(0);
  type Inputs = Pick<Batch<CacheStorage>, "rows" | "count" | "places">;
  return ({ rows, count, places }: Inputs, batch: number): Float32Array => {
    const size = batch * count * width;
    if (buffer.length < size) buffer = new Float32Array(size);
    const embeds = buffer.subarray(0, size);
    rows.forEach(({ input }, i) => {
      const offset = places[i]! * count * width;
      if ("tokens" in input) lookUp(input.tokens, embeds, offset);
      else embeds.set(input.embeds, offset);
    });
    return embeds;
  };
}

/** Writes the embeddings of tokens into `out`, from `offset` (in elements) on. */
type TokenLookUp = (tokens: readonly number[], out: Float32Array, offset: number) => void;
