/**
 * Keys and values of all sequences of a language model, in the layout its graph
 * reads: [slots, heads, capacity, headDim] in one buffer a layer, so that a
 * batch is a view over neighbouring slots and a step copies only the rows it has
 * computed. Attention runs over the whole capacity, so sequences stand in pools
 * of others about as long: a long one makes none of the short ones longer.
 *
 * Memory is the system's again the moment it is let go, not when a collection
 * comes by; large buffers take none before they are written to.
 */
export interface KvCacheShape {
  numLayers: number;
  numHeads: number;
  headDim: number;
  contextLength: number;
}

/** Whoever has a slot. */
export interface Tenant {
  readonly length: number;
  pool: KvPool | undefined;
  slot: number;
}

/** Keys and values of one sequence outside the cache: per layer [heads, length, headDim]. */
export interface SavedRows {
  /** Of each layer, then values of each. */
  readonly buffers: readonly Float32Array[];
  readonly length: number;
}

/** The positions that a sequence of so many takes room for: steps of a quarter or so, so that many share one. */
export function capacityFor(
  positions: number,
  { contextLength }: Pick<KvCacheShape, "contextLength">,
): number {
  let capacity = 256;
  while (capacity < positions) capacity += Math.min(capacity, 256 * (capacity < 1024 ? 2 : 1));
  return Math.min(capacity, Math.ceil(contextLength / 128) * 128);
}

export function bytesPerPosition({ numLayers, numHeads, headDim }: KvCacheShape): number {
  return 8 * numLayers * numHeads * headDim;
}

/** Gives a buffer's memory back at once. */
export function letGo(buffer: Float32Array): void {
  (buffer.buffer as ArrayBuffer).transfer(0);
}

export class KvCache {
  readonly shape: KvCacheShape;
  readonly #limit: number;
  readonly #pools = new Map<number, KvPool>();
  #savedBytes = 0;

  /** @param limit bytes; above it free slots are given up before another is taken */
  constructor(shape: KvCacheShape, limit: number) {
    this.shape = shape;
    this.#limit = limit;
  }

  /** Of all slots, and of what is saved. */
  get bytes(): number {
    return [...this.#pools.values()].reduce((sum, pool) => sum + pool.bytes, this.#savedBytes);
  }

  /** Gives a sequence a slot for `positions`, or moves it and what it holds to one, layer by layer. */
  settle(tenant: Tenant, positions: number): void {
    if (tenant.pool && tenant.pool.capacity >= positions) return;
    const capacity = capacityFor(positions, this.shape);
    const target = this.#pools.get(capacity) ?? new KvPool(this.shape, capacity);
    this.#pools.set(capacity, target);
    const fits = target.hasFree || this.#makeRoom(target.slotBytes);
    target.take(tenant, !fits);
  }

  /** Copies the first `length` positions of a sequence, to stay when it goes; at least one. */
  save(tenant: Tenant, length: number): SavedRows {
    const bytes = length * bytesPerPosition(this.shape);
    this.#makeRoom(bytes);
    this.#savedBytes += bytes;
    return tenant.pool!.save(tenant.slot, length);
  }

  discard({ buffers, length }: SavedRows): void {
    this.#savedBytes -= length * bytesPerPosition(this.shape);
    for (const buffer of buffers) letGo(buffer);
  }

  /** Gives up free slots where so much more would be beyond the limit. @returns whether it no longer is */
  #makeRoom(bytes: number): boolean {
    const fits = () => this.bytes + bytes <= this.#limit;
    if (!fits()) for (const pool of this.#pools.values()) pool.tighten();
    return fits();
  }
}

/** Slots of one capacity. Free ones are kept for the next who comes, until all are or their memory is needed. */
export class KvPool {
  readonly capacity: number;
  readonly #shape: KvCacheShape;
  /** Of each layer's keys, then values: [room, heads, capacity, headDim]; of it `slots` have been used. */
  #buffers: Float32Array[];
  #room = 0;
  #tenants: (Tenant | undefined)[] = [];
  #generation = 0;

  constructor(shape: KvCacheShape, capacity: number) {
    this.capacity = capacity;
    this.#shape = shape;
    this.#buffers = Array.from({ length: 2 * shape.numLayers }, () => new Float32Array(0));
  }

  /** By slot, who has it. */
  get tenants(): readonly (Tenant | undefined)[] {
    return this.#tenants;
  }

  get hasFree(): boolean {
    return this.#tenants.includes(undefined);
  }

  /** Changes whenever the buffers do, so that views can be kept until then. */
  get generation(): number {
    return this.#generation;
  }

  get slotBytes(): number {
    return this.capacity * bytesPerPosition(this.#shape);
  }

  get bytes(): number {
    return this.#tenants.length * this.slotBytes;
  }

  /**
   * Takes in a sequence with what it holds elsewhere.
   * @param isTight whether the slot it leaves must be given up in the same breath
   */
  take(tenant: Tenant, isTight: boolean): void {
    const slot = this.hasFree ? this.#tenants.indexOf(undefined) : this.#tenants.length;
    this.#makeRoom(slot + 1);
    const { pool: source, slot: from, length } = tenant;
    this.#tenants[slot] = tenant;
    tenant.pool = this;
    tenant.slot = slot;
    if (!source) return;
    const others = source.#tenants.flatMap((other, i) => (other && i !== from ? [i] : []));
    const givesUp = isTight || others.length === 0;
    this.#buffers.forEach((_, i) => {
      this.#copyRows(i, source, from, slot, 0, length);
      if (givesUp) source.#keep(i, others, others.length);
    });
    if (givesUp) source.#renumber(others);
    else source.#tenants[from] = undefined;
  }

  leave(tenant: Tenant): void {
    this.#tenants[tenant.slot] = undefined;
    tenant.pool = undefined;
    if (this.#tenants.every((other) => other === undefined)) this.tighten();
  }

  /** Gives up all free slots, layer by layer. */
  tighten(): void {
    if (!this.hasFree) return;
    const taken = this.#tenants.flatMap((tenant, slot) => (tenant ? [slot] : []));
    this.#buffers.forEach((_, i) => this.#keep(i, taken, taken.length));
    this.#renumber(taken);
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

  /** Copies the first `length` positions of a slot out of the cache. */
  save(slot: number, length: number): SavedRows {
    const { numHeads, headDim } = this.#shape;
    const pack = (buffer: Float32Array): Float32Array => {
      const packed = new Float32Array(numHeads * length * headDim);
      for (let head = 0; head < numHeads; head++) {
        const start = this.#offset(slot, head, 0);
        packed.set(buffer.subarray(start, start + length * headDim), head * length * headDim);
      }
      return packed;
    };
    return { buffers: this.#buffers.map(pack), length };
  }

  /** Copies the first `length` saved positions to the start of a slot. */
  restore(slot: number, saved: SavedRows, length: number): void {
    const { numHeads, headDim } = this.#shape;
    this.#buffers.forEach((buffer, i) => {
      for (let head = 0; head < numHeads; head++) {
        const start = head * saved.length * headDim;
        const rows = saved.buffers[i]!.subarray(start, start + length * headDim);
        buffer.set(rows, this.#offset(slot, head, 0));
      }
    });
  }

  /** Copies positions [start, end) of one slot to another. */
  copy(from: number, to: number, start: number, end: number): void {
    this.#buffers.forEach((_, i) => this.#copyRows(i, this, from, to, start, end));
  }

  /** Says who has which slot, after copies among the slots of the same. */
  seat(tenants: ReadonlyMap<number, Tenant>): void {
    for (const [slot, tenant] of tenants) {
      this.#tenants[slot] = tenant;
      tenant.slot = slot;
    }
  }

  /** Brings a sequence to another slot, and who has that one to the slot it leaves. */
  exchange(tenant: Tenant, slot: number): void {
    const left = tenant.slot;
    const other = this.#tenants[slot];
    if (other) this.#swap(left, slot, Math.max(tenant.length, other.length));
    else this.copy(left, slot, 0, tenant.length);
    this.#tenants[left] = other;
    this.#tenants[slot] = tenant;
    tenant.slot = slot;
    if (other) other.slot = left;
  }

  get #slotSize(): number {
    return this.#shape.numHeads * this.capacity * this.#shape.headDim;
  }

  #offset(slot: number, head: number, position: number): number {
    return ((slot * this.#shape.numHeads + head) * this.capacity + position) * this.#shape.headDim;
  }

  /** Room for so many slots, at least twice what there was: room that is not used takes no memory. */
  #makeRoom(slots: number): void {
    if (slots <= this.#room) return;
    this.#room = Math.max(slots, 2 * this.#room);
    const used = this.#tenants.map((_, slot) => slot);
    this.#buffers.forEach((_, i) => this.#keep(i, used, this.#room));
    this.#generation++;
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

  #renumber(slots: readonly number[]): void {
    this.#tenants = slots.map((slot) => this.#tenants[slot]);
    this.#tenants.forEach((tenant, slot) => {
      if (tenant) tenant.slot = slot;
    });
    this.#room = slots.length;
    this.#generation++;
  }

  #copyRows(i: number, from: KvPool, slot: number, to: number, start: number, end: number): void {
    const { numHeads, headDim } = this.#shape;
    for (let head = 0; head < numHeads; head++) {
      const source = from.#offset(slot, head, start);
      const rows = from.#buffers[i]!.subarray(source, source + (end - start) * headDim);
      this.#buffers[i]!.set(rows, this.#offset(to, head, start));
    }
  }

  /** Exchanges positions [0, end) of two slots. */
  #swap(a: number, b: number, end: number): void {
    const length = end * this.#shape.headDim;
    for (const buffer of this.#buffers)
      for (let head = 0; head < this.#shape.numHeads; head++) {
        const [left, right] = [this.#offset(a, head, 0), this.#offset(b, head, 0)];
        const held = buffer.slice(left, left + length);
        buffer.copyWithin(left, right, right + length);
        buffer.set(held, right);
      }
  }
}
