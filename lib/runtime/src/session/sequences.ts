/** Which text lives in which slot of the cache: forks, beam reordering, compaction. */
import { TinyGptvError } from "@tinygptv/protocol";
import type { Sequence, SequenceStore } from "../decoding/sequence.ts";
import type { KvCache, SavedRows } from "./kvCache.ts";

/**
 * A sequence's place in the cache. `stamps` has one number a position, unique
 * to the step that wrote it: two sequences share exactly the positions on which
 * their stamps agree, so a copy can leave those out.
 */
interface Held extends Sequence {
  slot: number;
  stamps: number[];
}

/** A sequence laid aside: it takes no slot and widens nobody's attention. */
export interface SavedSequence {
  readonly rows: SavedRows;
  readonly stamps: readonly number[];
}

export class CachedSequences implements SequenceStore {
  readonly #cache: KvCache;
  readonly #held = new Set<Held>();
  #nextId = 0;
  #nextStamp = 0;

  constructor(cache: KvCache) {
    this.#cache = cache;
  }

  create(): Sequence {
    return this.#hold([]);
  }

  fork(parent: Sequence): Sequence {
    const from = this.#find(parent);
    const child = this.#hold([...from.stamps]);
    this.#cache.copy(from.slot, child.slot, 0, from.length);
    return child;
  }

  reorder(sequences: readonly Sequence[], parents: readonly number[]): void {
    const held = sequences.map((sequence) => this.#find(sequence));
    const before = held.map(({ slot, stamps }) => ({ slot, stamps }));
    // The first child of a parent takes over its slot; slots of parents without children are free.
    const kept = new Set(parents);
    const free = before.filter((_, i) => !kept.has(i));
    const settled = new Set<number>();
    parents.forEach((parent, child) => {
      const { slot, stamps } = before[parent]!;
      const target = held[child]!;
      if (settled.has(parent)) {
        const place = takeClosest(free, stamps);
        this.#cache.copy(slot, place.slot, place.shared, stamps.length);
        target.slot = place.slot;
      } else {
        target.slot = slot;
      }
      settled.add(parent);
      target.stamps = [...stamps];
    });
  }

  /** A copy of the first `length` positions, outside the cache. */
  save(sequence: Sequence, length: number): SavedSequence {
    const { slot, stamps } = this.#find(sequence);
    return { rows: this.#cache.save(slot, length), stamps: stamps.slice(0, length) };
  }

  /** A new sequence of the first `length` positions of a saved one. */
  restore({ rows, stamps }: SavedSequence, length: number): Sequence {
    const held = this.#hold([]);
    this.reserve(new Map([[held, length]]));
    this.#cache.restore(held.slot, rows, length);
    held.stamps.push(...stamps.slice(0, length));
    return held;
  }

  truncate(sequence: Sequence, length: number): void {
    const held = this.#find(sequence);
    if (length < held.length) held.stamps.length = length;
  }

  release(sequence: Sequence): void {
    this.#held.delete(this.#find(sequence));
    if (this.#held.size === 0) this.#cache.resize(0, 0, new Map());
  }

  get count(): number {
    return this.#held.size;
  }

  /** Makes room for the given numbers of further positions; shrinks where less than half is needed. */
  reserve(growth: ReadonlyMap<Sequence, number>): void {
    let positions = 0;
    for (const held of this.#held)
      positions = Math.max(positions, held.length + (growth.get(held) ?? 0));
    if (positions > this.#cache.capacity || positions * 2 < this.#cache.capacity)
      this.#cache.resize(this.#cache.slots, positions, this.#lengths());
  }

  /**
   * Brings sequences into neighbouring slots, moving as few as possible.
   * @returns the first slot, and for each sequence its row in the batch
   */
  gather(sequences: readonly Sequence[]): { first: number; rows: number[] } {
    const held = sequences.map((sequence) => this.#find(sequence));
    const count = held.length;
    const outside = (first: number) =>
      held.filter(({ slot }) => slot < first || slot >= first + count);
    let first = 0;
    for (let start = 1; start + count <= this.#cache.slots; start++)
      if (outside(start).length < outside(first).length) first = start;

    const bySlot = new Map([...this.#held].map((one) => [one.slot, one]));
    const members = new Set(held);
    for (const one of outside(first)) {
      let target = first;
      while (members.has(bySlot.get(target)!)) target++;
      const other = bySlot.get(target);
      if (other) this.#cache.swap(one.slot, target, Math.max(one.length, other.length));
      else this.#cache.copy(one.slot, target, 0, one.length);
      bySlot.delete(one.slot);
      if (other) {
        other.slot = one.slot;
        bySlot.set(other.slot, other);
      }
      one.slot = target;
      bySlot.set(target, one);
    }
    return { first, rows: held.map(({ slot }) => slot - first) };
  }

  /** Says that `count` positions were appended to a sequence. */
  extend(sequence: Sequence, count: number): void {
    const { stamps } = this.#find(sequence);
    for (let i = 0; i < count; i++) stamps.push(this.#nextStamp++);
  }

  slotOf(sequence: Sequence): number {
    return this.#find(sequence).slot;
  }

  #hold(stamps: number[]): Held {
    const taken = new Set([...this.#held].map(({ slot }) => slot));
    let slot = 0;
    while (taken.has(slot)) slot++;
    if (slot >= this.#cache.slots)
      this.#cache.resize(slot + 1, this.#cache.capacity, this.#lengths());
    const held: Held = {
      id: this.#nextId++,
      slot,
      stamps,
      get length() {
        return this.stamps.length;
      },
    };
    this.#held.add(held);
    return held;
  }

  #lengths(): Map<number, number> {
    return new Map([...this.#held].map(({ slot, length }) => [slot, length]));
  }

  #find(sequence: Sequence): Held {
    const held = sequence as Held;
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
