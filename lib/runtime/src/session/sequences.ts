/** Which text lives in which slot of the cache: forks, beam reordering, batches. */
import { TinyGptvError } from "@tinygptv/protocol";
import type { Sequence, SequenceStore } from "../decoding/sequence.ts";
import type { Adapter } from "./adapter.ts";
import type { CacheStorage, SavedRows } from "./cacheStorage.ts";
import type { KvCache } from "./kvCache.ts";
import type { KvPool, Tenant } from "./kvPool.ts";

/**
 * A sequence's place in the cache. `stamps` has one number a position, unique
 * to the step that wrote it: two sequences share exactly the positions on which
 * their stamps agree, so a copy can leave those out.
 */
interface Held<Storage extends CacheStorage> extends Sequence, Tenant<Storage> {
  readonly length: number;
  stamps: number[];
  /** Its keys and values are those of the model with it. */
  readonly adapter: Adapter | undefined;
}

/** A sequence laid aside: it takes no slot and widens nobody's attention. */
export interface SavedSequence {
  readonly rows: SavedRows;
  readonly stamps: readonly number[];
  readonly adapter: Adapter | undefined;
}

export class CachedSequences<Storage extends CacheStorage> implements SequenceStore {
  readonly #cache: KvCache<Storage>;
  readonly #held = new Set<Held<Storage>>();
  #nextId = 0;
  #nextStamp = 0;

  constructor(cache: KvCache<Storage>) {
    this.#cache = cache;
  }

  /** @param adapter what all of it is run with; the model alone unless given */
  create(adapter?: Adapter): Sequence {
    return this.#hold([], adapter);
  }

  fork(parent: Sequence): Sequence {
    const from = this.#find(parent);
    const child = this.#hold([], from.adapter);
    if (from.pool) this.#cache.settleIn(child, from.pool.capacity);
    child.pool?.storage.copy(from.slot, child.slot, 0, from.length);
    child.stamps.push(...from.stamps);
    return child;
  }

  reorder(sequences: readonly Sequence[], parents: readonly number[]): void {
    const held = sequences.map((sequence) => this.#find(sequence));
    // Beams grow in step, so as a rule they have one capacity.
    const capacity = Math.max(...held.map(({ pool }) => pool?.capacity ?? 0));
    if (capacity === 0) return; // all empty
    for (const one of held) this.#cache.settleIn(one, capacity);
    const { pool } = held[0]!;
    const before = held.map(({ slot, stamps }) => ({ slot, stamps }));
    // The first child of a parent takes over its slot; slots of parents without children are free.
    const kept = new Set(parents);
    const free = before.filter((_, i) => !kept.has(i));
    const settled = new Set<number>();
    const seats = new Map<number, Held<Storage>>();
    parents.forEach((parent, child) => {
      const { slot, stamps } = before[parent]!;
      const target = held[child]!;
      if (settled.has(parent)) {
        const place = takeClosest(free, stamps);
        pool!.storage.copy(slot, place.slot, place.shared, stamps.length);
        seats.set(place.slot, target);
      } else {
        seats.set(slot, target);
      }
      settled.add(parent);
      target.stamps = [...stamps];
    });
    pool!.seat(seats);
  }

  /** A copy of the first `length` positions, outside the cache; at least one. */
  save(sequence: Sequence, length: number): SavedSequence {
    const held = this.#find(sequence);
    const { stamps, adapter } = held;
    return { rows: this.#cache.save(held, length), stamps: stamps.slice(0, length), adapter };
  }

  /** Lets go of a saved sequence. */
  discard({ rows }: SavedSequence): void {
    this.#cache.discard(rows);
  }

  /** A new sequence of the first `length` positions of a saved one; at least one. */
  restore({ rows, stamps, adapter }: SavedSequence, length: number): Sequence {
    const held = this.#hold([], adapter);
    this.#cache.settle(held, length);
    held.pool!.storage.restore(held.slot, rows, length);
    held.stamps.push(...stamps.slice(0, length));
    return held;
  }

  truncate(sequence: Sequence, length: number): void {
    const held = this.#find(sequence);
    if (length < held.length) held.stamps.length = length;
  }

  release(sequence: Sequence): void {
    const held = this.#find(sequence);
    this.#held.delete(held);
    held.pool?.leave(held);
  }

  get count(): number {
    return this.#held.size;
  }

  /** Makes room for the given numbers of further positions. */
  reserve(growth: ReadonlyMap<Sequence, number>): void {
    for (const [sequence, count] of growth)
      this.#cache.settle(this.#find(sequence), sequence.length + count);
  }

  /** Where a sequence stands, once room was made for it. */
  placeOf(sequence: Sequence): { readonly pool: KvPool<Storage>; readonly slot: number } {
    const { pool, slot } = this.#find(sequence);
    return { pool: pool!, slot };
  }

  /** What a sequence is run with beside the model's weights. */
  adapterOf(sequence: Sequence): Adapter | undefined {
    return this.#find(sequence).adapter;
  }

  /**
   * Brings sequences of one pool into neighbouring slots, moving as few as possible.
   * @returns the first slot, and for each sequence its row in the batch
   */
  gather(sequences: readonly Sequence[]): { first: number; rows: number[] } {
    const held = sequences.map((sequence) => this.#find(sequence));
    const pool = held[0]!.pool!;
    const count = held.length;
    const outside = (first: number) =>
      held.filter(({ slot }) => slot < first || slot >= first + count);
    let first = 0;
    const last = pool.storage.isAnchored ? 0 : pool.tenants.length - count;
    for (let start = 1; start <= last; start++)
      if (outside(start).length < outside(first).length) first = start;

    const members = new Set<Tenant<Storage> | undefined>(held);
    for (const one of outside(first)) {
      let target = first;
      while (members.has(pool.tenants[target])) target++;
      pool.exchange(one, target);
    }
    return { first, rows: held.map(({ slot }) => slot - first) };
  }

  /** Says that `count` positions were appended to a sequence. */
  extend(sequence: Sequence, count: number): void {
    const { stamps } = this.#find(sequence);
    for (let i = 0; i < count; i++) stamps.push(this.#nextStamp++);
  }

  #hold(stamps: number[], adapter: Adapter | undefined): Held<Storage> {
    const held: Held<Storage> = {
      id: this.#nextId++,
      pool: undefined,
      slot: 0,
      stamps,
      adapter,
      get length() {
        return this.stamps.length;
      },
    };
    this.#held.add(held);
    return held;
  }

  #find(sequence: Sequence): Held<Storage> {
    const held = sequence as Held<Storage>;
    if (!this.#held.has(held))
      throw new TinyGptvError(
        "engine",
        `sequence ${sequence.id}: want one of this model's, got one that was released`,
      );
    return held;
  }
}

/** Removes from `free` the slot whose content agrees longest with `stamps`. */
function takeClosest(
  free: { slot: number; stamps: readonly number[] }[],
  stamps: readonly number[],
): { slot: number; shared: number } {
  let best = 0;
  let shared = -1;
  free.forEach((candidate, i) => {
    let agree = 0;
    while (agree < stamps.length && candidate.stamps[agree] === stamps[agree]) agree++;
    if (agree > shared) [best, shared] = [i, agree];
  });
  const [place] = free.splice(best, 1);
  return { slot: place!.slot, shared };
}
