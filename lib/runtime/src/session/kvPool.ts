import type { CacheStorage } from "./cacheStorage.ts";

/** Whoever has a slot. */
export interface Tenant<Storage extends CacheStorage> {
  readonly length: number;
  pool: KvPool<Storage> | undefined;
  slot: number;
}

/** Slots of one capacity, and who has which. Free ones are kept for the next who comes, until all are or their memory is needed. */
export class KvPool<Storage extends CacheStorage> {
  readonly capacity: number;
  readonly storage: Storage;
  /** Of one slot. */
  readonly slotBytes: number;
  #room = 0;
  #tenants: (Tenant<Storage> | undefined)[] = [];

  constructor(storage: Storage, capacity: number, slotBytes: number) {
    this.storage = storage;
    this.capacity = capacity;
    this.slotBytes = slotBytes;
  }

  /** By slot, who has it. */
  get tenants(): readonly (Tenant<Storage> | undefined)[] {
    return this.#tenants;
  }

  get hasFree(): boolean {
    return this.#tenants.includes(undefined);
  }

  get bytes(): number {
    const slots = this.storage.takesAllRoom ? this.#room : this.#tenants.length;
    return slots * this.slotBytes;
  }

  /**
   * Takes in a sequence with what it holds elsewhere.
   * @param isTight whether the slot it leaves must be given up in the same breath
   */
  take(tenant: Tenant<Storage>, isTight: boolean): void {
    const slot = this.hasFree ? this.#tenants.indexOf(undefined) : this.#tenants.length;
    this.reach(slot + 1);
    const { pool: source, slot: from, length } = tenant;
    this.#tenants[slot] = tenant;
    tenant.pool = this;
    tenant.slot = slot;
    if (!source) return;
    const others = source.#tenants.flatMap((other, i) => (other && i !== from ? [i] : []));
    const kept = isTight || others.length === 0 ? others : undefined;
    this.storage.takeOver(source.storage, from, slot, { length, kept });
    if (kept) source.#renumber(kept);
    else source.#tenants[from] = undefined;
  }

  leave(tenant: Tenant<Storage>): void {
    this.#tenants[tenant.slot] = undefined;
    tenant.pool = undefined;
    if (this.#tenants.every((other) => other === undefined)) this.tighten();
  }

  /** Gives up all free slots. */
  tighten(): void {
    const hasUnused = this.storage.takesAllRoom && this.#room > this.#tenants.length;
    if (!this.hasFree && !hasUnused) return;
    const taken = this.#tenants.flatMap((tenant, slot) => (tenant ? [slot] : []));
    this.storage.keep(taken, taken.length);
    this.#renumber(taken);
  }

  /** Room for so many slots; where room that is not used takes no memory, at least twice what there was. */
  reach(slots: number): void {
    if (slots <= this.#room) return;
    this.#room = this.storage.takesAllRoom ? slots : Math.max(slots, 2 * this.#room);
    this.storage.keep(
      this.#tenants.map((_, slot) => slot),
      this.#room,
    );
  }

  /** Says who has which slot, after copies among the slots of the same. */
  seat(tenants: ReadonlyMap<number, Tenant<Storage>>): void {
    for (const [slot, tenant] of tenants) {
      this.#tenants[slot] = tenant;
      tenant.slot = slot;
    }
  }

  /** Brings a sequence to another slot, and who has that one to the slot it leaves. */
  exchange(tenant: Tenant<Storage>, slot: number): void {
    const left = tenant.slot;
    const other = this.#tenants[slot];
    if (other) this.storage.swap(left, slot, Math.max(tenant.length, other.length));
    else this.storage.copy(left, slot, 0, tenant.length);
    this.#tenants[left] = other;
    this.#tenants[slot] = tenant;
    tenant.slot = slot;
    if (other) other.slot = left;
  }

  #renumber(slots: readonly number[]): void {
    this.#tenants = slots.map((slot) => this.#tenants[slot]);
    this.#tenants.forEach((tenant, slot) => {
      if (tenant) tenant.slot = slot;
    });
    this.#room = slots.length;
  }
}
