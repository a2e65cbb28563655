/**
 * Keys and values of all sequences of a language model. Attention runs over the
 * whole capacity of a slot, so sequences stand in pools of others about as long:
 * a long one makes none of the short ones longer. Where the numbers are, on the
 * host or on a device, is the storage's to know (hostStorage.ts, deviceStorage.ts).
 */
import { KvPool } from "./kvPool.ts";
import type { Tenant } from "./kvPool.ts";
import type { CacheKind, CacheStorage, KvCacheShape, SavedRows } from "./cacheStorage.ts";

/** The positions that a sequence of so many takes room for: steps of a quarter or so, so that many share one. */
export function capacityFor(
  positions: number,
  { contextLength }: Pick<KvCacheShape, "contextLength">,
): number {
  let capacity = 256;
  while (capacity < positions) capacity += Math.min(capacity, 256 * (capacity < 1024 ? 2 : 1));
  return Math.min(capacity, Math.ceil(contextLength / 128) * 128);
}

/** The same with what a kind of cache adds. */
export function capacityOf(
  { shape, spare }: Pick<CacheKind<CacheStorage>, "shape" | "spare">,
  positions: number,
): number {
  return capacityFor(positions + spare, { contextLength: shape.contextLength + spare });
}

export function bytesPerPosition(
  { numLayers, numHeads, headDim }: KvCacheShape,
  bytesPerElement = 4,
): number {
  return 2 * bytesPerElement * numLayers * numHeads * headDim;
}

export class KvCache<Storage extends CacheStorage> {
  readonly #kind: CacheKind<Storage>;
  readonly #bytesPerPosition: number;
  readonly #limit: number;
  readonly #pools = new Map<number, KvPool<Storage>>();
  #savedBytes = 0;

  /** @param limit bytes; above it free slots are given up before another is taken */
  constructor(kind: CacheKind<Storage>, limit: number) {
    this.#kind = kind;
    this.#bytesPerPosition = bytesPerPosition(kind.shape, kind.bytesPerElement);
    this.#limit = limit;
  }

  /** Of all slots, and of what is saved. */
  get bytes(): number {
    return [...this.#pools.values()].reduce((sum, pool) => sum + pool.bytes, this.#savedBytes);
  }

  /** Gives a sequence a slot for `positions`, or moves it and what it holds to one. */
  settle(tenant: Tenant<Storage>, positions: number): void {
    this.settleIn(tenant, capacityOf(this.#kind, positions));
  }

  /** The same for a slot of one capacity, or more. */
  settleIn(tenant: Tenant<Storage>, capacity: number): void {
    if (tenant.pool && tenant.pool.capacity >= capacity) return;
    let target = this.#pools.get(capacity);
    if (!target) {
      const storage = this.#kind.createStorage(capacity);
      target = new KvPool(storage, capacity, capacity * this.#bytesPerPosition);
      this.#pools.set(capacity, target);
    }
    const fits = target.hasFree || this.#makeRoom(target.slotBytes);
    target.take(tenant, !fits);
  }

  /** Copies the first `length` positions of a sequence, to stay when it goes; at least one. */
  save(tenant: Tenant<Storage>, length: number): SavedRows {
    const bytes = length * this.#bytesPerPosition;
    this.#makeRoom(bytes);
    this.#savedBytes += bytes;
    return tenant.pool!.storage.save(tenant.slot, length);
  }

  discard(saved: SavedRows): void {
    this.#savedBytes -= saved.length * this.#bytesPerPosition;
    saved.free();
  }

  /** Gives up free slots where so much more would be beyond the limit. @returns whether it no longer is */
  #makeRoom(bytes: number): boolean {
    const fits = () => this.bytes + bytes <= this.#limit;
    if (!fits()) for (const pool of this.#pools.values()) pool.tighten();
    return fits();
  }
}
