/**
 * Keys and values of all sequences of a language model, in the layout its graph
 * reads: per layer one buffer [slots, heads, capacity, headDim]. A batch is a
 * run of neighbouring slots, handed to ONNX Runtime as a view, so a step copies
 * only the rows it has computed.
 */
export interface KvCacheShape {
  numLayers: number;
  numHeads: number;
  headDim: number;
}

/** Keys and values of one sequence outside the cache: per layer [heads, length, headDim]. */
export interface SavedRows {
  readonly keys: readonly Float32Array[];
  readonly values: readonly Float32Array[];
  readonly length: number;
}

/** Capacity grows and shrinks by this many positions: attention runs over all of it. */
const capacityStep = 128;

export class KvCache {
  readonly #shape: KvCacheShape;
  #keys: Float32Array[];
  #values: Float32Array[];
  #slots = 0;
  #capacity = 0;
  #generation = 0;

  constructor(shape: KvCacheShape) {
    this.#shape = shape;
    this.#keys = Array.from({ length: shape.numLayers }, () => new Float32Array(0));
    this.#values = Array.from({ length: shape.numLayers }, () => new Float32Array(0));
  }

  get slots(): number {
    return this.#slots;
  }

  /** Positions every slot has room for. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Changes whenever the buffers do, so that views can be kept until then. */
  get generation(): number {
    return this.#generation;
  }

  get bytes(): number {
    return this.#slots * this.#capacity * this.bytesPerPosition;
  }

  get bytesPerPosition(): number {
    const { numLayers, numHeads, headDim } = this.#shape;
    return 8 * numLayers * numHeads * headDim;
  }

  /** Makes room for so many slots and positions; keeps [0, lengths[slot]) of each slot. */
  resize(slots: number, positions: number, lengths: ReadonlyMap<number, number>): void {
    const capacity = Math.ceil(positions / capacityStep) * capacityStep;
    if (slots === this.#slots && capacity === this.#capacity) return;
    const { numHeads, headDim } = this.#shape;
    const move = (old: Float32Array): Float32Array => {
      const buffer = new Float32Array(slots * numHeads * capacity * headDim);
      for (const [slot, length] of lengths)
        for (let head = 0; head < numHeads; head++) {
          const row = slot * numHeads + head;
          const start = row * this.#capacity * headDim;
          buffer.set(old.subarray(start, start + length * headDim), row * capacity * headDim);
        }
      return buffer;
    };
    // Layer by layer, so that at most one layer exists twice.
    for (let layer = 0; layer < this.#keys.length; layer++) {
      this.#keys[layer] = move(this.#keys[layer]!);
      this.#values[layer] = move(this.#values[layer]!);
    }
    this.#slots = slots;
    this.#capacity = capacity;
    this.#generation++;
  }

  /** Views over `count` neighbouring slots: key and value [count, heads, capacity, headDim]. */
  view(layer: number, first: number, count: number): { key: Float32Array; value: Float32Array } {
    const start = first * this.#slotSize;
    const end = (first + count) * this.#slotSize;
    return {
      key: this.#keys[layer]!.subarray(start, end),
      value: this.#values[layer]!.subarray(start, end),
    };
  }

  /**
   * Appends one row of a step's output to a slot.
   * @param key, value [batch, heads, sequence, headDim]; row `row` of the batch, its first `count` positions
   */
  append(
    layer: number,
    slot: number,
    position: number,
    step: { key: Float32Array; value: Float32Array; row: number; sequence: number; count: number },
  ): void {
    const { numHeads, headDim } = this.#shape;
    const keys = this.#keys[layer]!;
    const values = this.#values[layer]!;
    const length = step.count * headDim;
    for (let head = 0; head < numHeads; head++) {
      const from = (step.row * numHeads + head) * step.sequence * headDim;
      const to = ((slot * numHeads + head) * this.#capacity + position) * headDim;
      // Not set() of a subarray: in a decoding step that would make two thousand views for 80 numbers each.
      for (let i = 0; i < length; i++) {
        keys[to + i] = step.key[from + i]!;
        values[to + i] = step.value[from + i]!;
      }
    }
  }

  /** Copies the first `length` positions of a slot out of the cache. */
  save(slot: number, length: number): SavedRows {
    const { numHeads, headDim } = this.#shape;
    const pack = (buffer: Float32Array): Float32Array => {
      const packed = new Float32Array(numHeads * length * headDim);
      for (let head = 0; head < numHeads; head++) {
        const start = (slot * numHeads + head) * this.#capacity * headDim;
        packed.set(buffer.subarray(start, start + length * headDim), head * length * headDim);
      }
      return packed;
    };
    return { keys: this.#keys.map(pack), values: this.#values.map(pack), length };
  }

  /** Copies the first `length` saved positions to the start of a slot. */
  restore(slot: number, saved: SavedRows, length: number): void {
    const { numHeads, headDim } = this.#shape;
    const unpack = (buffers: readonly Float32Array[], packed: readonly Float32Array[]) =>
      buffers.forEach((buffer, layer) => {
        for (let head = 0; head < numHeads; head++) {
          const start = head * saved.length * headDim;
          buffer.set(
            packed[layer]!.subarray(start, start + length * headDim),
            (slot * numHeads + head) * this.#capacity * headDim,
          );
        }
      });
    unpack(this.#keys, saved.keys);
    unpack(this.#values, saved.values);
  }

  /** Copies positions [start, end) of one slot to another. */
  copy(from: number, to: number, start: number, end: number): void {
    this.#forEachHead(from, to, start, end, (buffer, source, target, length) => {
      buffer.copyWithin(target, source, source + length);
    });
  }

  /** Exchanges positions [0, end) of two slots. */
  swap(a: number, b: number, end: number): void {
    this.#forEachHead(a, b, 0, end, (buffer, left, right, length) => {
      const held = buffer.slice(left, left + length);
      buffer.copyWithin(left, right, right + length);
      buffer.set(held, right);
    });
  }

  get #slotSize(): number {
    return this.#shape.numHeads * this.#capacity * this.#shape.headDim;
  }

  #forEachHead(
    a: number,
    b: number,
    start: number,
    end: number,
    visit: (buffer: Float32Array, a: number, b: number, length: number) => void,
  ): void {
    const { numHeads, headDim } = this.#shape;
    const length = (end - start) * headDim;
    const offset = (slot: number, head: number) =>
      ((slot * numHeads + head) * this.#capacity + start) * headDim;
    for (const buffer of [...this.#keys, ...this.#values])
      for (let head = 0; head < numHeads; head++)
        visit(buffer, offset(a, head), offset(b, head), length);
  }
}
