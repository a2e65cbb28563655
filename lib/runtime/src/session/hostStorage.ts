/**
 * The cache in this process's memory, in the layout that the graph for processors
 * reads: [slots, heads, capacity, headDim] in one buffer a layer, so that a batch
 * is a view over neighbouring slots and a step copies only the rows it has computed.
 *
 * Memory is the system's again the moment it is let go, not when a collection
 * comes by; large buffers take none before they are written to.
 */
import type { CacheKind, CacheStorage, KvCacheShape, SavedRows } from "./cacheStorage.ts";

/** Keys and values of the host: per layer [heads, length, headDim]. */
interface HostRows extends SavedRows {
  /** Of each layer, then values of each. */
  readonly buffers: readonly Float32Array[];
}

/** Gives a buffer's memory back at once. */
export function letGo(buffer: Float32Array): void {
  (buffer.buffer as ArrayBuffer).transfer(0);
}

export function onHost(shape: KvCacheShape): CacheKind<HostStorage> {
  return {
    shape,
    bytesPerElement: Float32Array.BYTES_PER_ELEMENT,
    spare: 0,
    createStorage: (capacity) => new HostStorage(shape, capacity),
  };
}

export class HostStorage implements CacheStorage {
  readonly takesAllRoom = false;
  readonly isAnchored = false;
  readonly capacity: number;
  readonly #shape: KvCacheShape;
  /** Of each layer's keys, then values: [room, heads, capacity, headDim]. */
  #buffers: Float32Array[];
  #generation = 0;

  constructor(shape: KvCacheShape, capacity: number) {
    this.capacity = capacity;
    this.#shape = shape;
    this.#buffers = Array.from({ length: 2 * shape.numLayers }, () => new Float32Array(0));
  }

  /** Changes whenever the buffers do, so that views can be kept until then. */
  get generation(): number {
    return this.#generation;
  }

  keep(slots: readonly number[], room: number): void {
    this.#buffers.forEach((_, i) => this.#keep(i, slots, room));
    this.#generation++;
  }

  takeOver(
    source: HostStorage,
    from: number,
    to: number,
    { length, kept }: { length: number; kept?: readonly number[] | undefined },
  ): void {
    // Layer by layer, so that both are in memory of one at a time.
    this.#buffers.forEach((_, i) => {
      this.#copyRows(i, source, from, to, 0, length);
      if (kept) source.#keep(i, kept, kept.length);
    });
    if (kept) source.#generation++;
  }

  copy(from: number, to: number, start: number, end: number): void {
    this.#buffers.forEach((_, i) => this.#copyRows(i, this, from, to, start, end));
  }

  swap(a: number, b: number, end: number): void {
    const length = end * this.#shape.headDim;
    for (const buffer of this.#buffers)
      for (let head = 0; head < this.#shape.numHeads; head++) {
        const [left, right] = [this.#offset(a, head, 0), this.#offset(b, head, 0)];
        const held = buffer.slice(left, left + length);
        buffer.copyWithin(left, right, right + length);
        buffer.set(held, right);
      }
  }

  save(slot: number, length: number): HostRows {
    const { numHeads, headDim } = this.#shape;
    const pack = (buffer: Float32Array): Float32Array => {
      const packed = new Float32Array(numHeads * length * headDim);
      for (let head = 0; head < numHeads; head++) {
        const start = this.#offset(slot, head, 0);
        packed.set(buffer.subarray(start, start + length * headDim), head * length * headDim);
      }
      return packed;
    };
    const buffers = this.#buffers.map(pack);
    return { buffers, length, free: () => buffers.forEach(letGo) };
  }

  restore(slot: number, saved: HostRows, length: number): void {
    const { numHeads, headDim } = this.#shape;
    this.#buffers.forEach((buffer, i) => {
      for (let head = 0; head < numHeads; head++) {
        const start = head * saved.length * headDim;
        const rows = saved.buffers[i]!.subarray(start, start + length * headDim);
        buffer.set(rows, this.#offset(slot, head, 0));
      }
    });
  }

  /** Views over `count` neighbouring slots: key and value [count, heads, capacity, headDim]. */
  view(layer: number, first: number, count: number): { key: Float32Array; value: Float32Array } {
    const start = first * this.#slotSize;
    const end = (first + count) * this.#slotSize;
    return {
      key: this.#buffers[layer]!.subarray(start, end),
      value: this.#buffers[this.#shape.numLayers + layer]!.subarray(start, end),
    };
  }

  /**
   * Appends one row of a step's output to a slot.
   * @param key, value [batch, heads, count, headDim]; row `row` of the batch; `count` positions of each
   */
  append(
    layer: number,
    slot: number,
    position: number,
    step: { key: Float32Array; value: Float32Array; row: number; count: number },
  ): void {
    const { numHeads, numLayers, headDim } = this.#shape;
    const keys = this.#buffers[layer]!;
    const values = this.#buffers[numLayers + layer]!;
    const length = step.count * headDim;
    for (let head = 0; head < numHeads; head++) {
      const from = (step.row * numHeads + head) * step.count * headDim;
      const to = this.#offset(slot, head, position);
      // Not set() of a subarray: in a decoding step that would make two thousand views for 80 numbers each.
      for (let i = 0; i < length; i++) {
        keys[to + i] = step.key[from + i]!;
        values[to + i] = step.value[from + i]!;
      }
    }
  }

  get #slotSize(): number {
    return this.#shape.numHeads * this.capacity * this.#shape.headDim;
  }

  #offset(slot: number, head: number, position: number): number {
    return ((slot * this.#shape.numHeads + head) * this.capacity + position) * this.#shape.headDim;
  }

  /** Makes a buffer anew, of so many slots, with the given ones at its beginning. */
  #keep(i: number, slots: readonly number[], room: number): void {
    const old = this.#buffers[i]!;
    const size = this.#slotSize;
    const made = new Float32Array(room * size);
    slots.forEach((slot, place) => {
      made.set(old.subarray(slot * size, (slot + 1) * size), place * size);
    });
    this.#buffers[i] = made;
    letGo(old);
  }

  #copyRows(
    i: number,
    from: HostStorage,
    slot: number,
    to: number,
    start: number,
    end: number,
  ): void {
    const { numHeads, headDim } = this.#shape;
    for (let head = 0; head < numHeads; head++) {
      const source = from.#offset(slot, head, start);
      const rows = from.#buffers[i]!.subarray(source, source + (end - start) * headDim);
      this.#buffers[i]!.set(rows, this.#offset(to, head, start));
    }
  }
}
