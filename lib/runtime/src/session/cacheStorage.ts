/** Where keys and values are, and what is done with them there. */

export interface KvCacheShape {
  numLayers: number;
  numHeads: number;
  headDim: number;
  contextLength: number;
}

/** Keys and values of one sequence outside the cache. */
export interface SavedRows {
  readonly length: number;
  /** Gives their memory back. */
  free(): void;
}

/**
 * Slots of one capacity in memory: for every layer keys and values of each.
 * Of a slot only the positions that its sequence holds mean anything.
 */
export interface CacheStorage {
  /** Whether room takes memory before a slot of it is used. */
  readonly takesAllRoom: boolean;
  /** Whether a batch has to begin at the first slot. */
  readonly isAnchored: boolean;
  /** Makes room for so many slots, with the given ones at their beginning. */
  keep(slots: readonly number[], room: number): void;
  /**
   * Copies the first `length` positions of a slot of another storage into one of this.
   * @param kept what the other is to keep from then on, if it has to give slots up in the same breath
   */
  takeOver(
    source: this,
    from: number,
    to: number,
    options: { length: number; kept?: readonly number[] | undefined },
  ): void;
  /** Copies positions [start, end) of one slot to another. */
  copy(from: number, to: number, start: number, end: number): void;
  /** Exchanges positions [0, end) of two slots. */
  swap(a: number, b: number, end: number): void;
  /** Copies the first `length` positions of a slot out. */
  save(slot: number, length: number): SavedRows;
  /** Copies the first `length` saved positions to the start of a slot. */
  restore(slot: number, saved: SavedRows, length: number): void;
}

/** What a cache is made of. */
export interface CacheKind<Storage extends CacheStorage> {
  readonly shape: KvCacheShape;
  /** Of each number kept. */
  readonly bytesPerElement: number;
  /** Positions at the end of a slot that no sequence holds: where rows nobody asked for have a place to go. */
  readonly spare: number;
  createStorage(capacity: number): Storage;
}
