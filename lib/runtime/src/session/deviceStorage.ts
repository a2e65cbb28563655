/**
 * The cache in a device's memory: of each layer keys and values of all slots in one
 * buffer, which the graphs for GPUs write into in place. The caller goes on at once;
 * what is to be done is done in turn, before the next pass.
 */
import type { DeviceTensor } from "@tinygptv/graph/session";
import { integers } from "@tinygptv/network/feeds";
import type { CacheKind, CacheStorage, KvCacheShape, SavedRows } from "./cacheStorage.ts";
import type { Device } from "./device.ts";
import {
  bufferShapes,
  buffersOf,
  copySlots,
  mapValues,
  openCopies,
  pickSlots,
  prefixed,
  type Buffers,
  type Copies,
  type DeviceLayout,
} from "./deviceCopies.ts";

interface DeviceRows extends SavedRows {
  /** By names of the cache's buffers; there once it is their turn. */
  tensors?: Record<string, DeviceTensor>;
}

export async function openCache(
  device: Device,
  shape: KvCacheShape,
  layout: DeviceLayout,
): Promise<CacheKind<DeviceStorage> & { release(): Promise<void> }> {
  const copies = await openCopies(device, shape, layout);
  return {
    shape,
    bytesPerElement: layout.precision === "float16" ? 2 : 4,
    spare: 1,
    createStorage: (capacity) => new DeviceStorage(copies, capacity),
    async release() {
      for (const { release } of [
        copies.copy,
        copies.transfer,
        copies.pick,
        copies.pickAndGrow,
        copies.save,
      ])
        await release();
    },
  };
}

export class DeviceStorage implements CacheStorage {
  readonly takesAllRoom = true;
  readonly isAnchored = true;
  readonly capacity: number;
  readonly #copies: Copies;
  #buffers: Buffers = {};
  #views = new Map<number, Buffers>();

  constructor(copies: Copies, capacity: number) {
    this.#copies = copies;
    this.capacity = capacity;
  }

  /** The first so many slots of every buffer, `key.N` and `value.N`. To be asked in turn. */
  firstSlots(count: number): Buffers {
    const { device } = this.#copies;
    const known = this.#views.get(count);
    if (known) return known;
    const views = mapValues(this.#buffers, (buffer) => device.firstRows(buffer, count));
    this.#views.set(count, views);
    return views;
  }

  /** Memory for so many slots. To be called in turn. */
  async allocate(room: number): Promise<void> {
    await this.#replace([], room);
  }

  /** Gives all memory back. To be called in turn. */
  free(): void {
    for (const buffer of Object.values(this.#buffers)) buffer.dispose();
    this.#buffers = {};
    this.#views.clear();
  }

  keep(slots: readonly number[], room: number): void {
    this.#copies.device.soon(() => this.#replace(slots, room));
  }

  takeOver(
    source: DeviceStorage,
    from: number,
    to: number,
    { kept }: { length: number; kept?: readonly number[] | undefined },
  ): void {
    this.#copies.device.soon(async () => {
      const fitting = clampedPositions(this.capacity, source.capacity);
      const slots = { from: [from], to: [to], fitting };
      await copySlots(this.#copies, "transfer", source.#buffers, this.#buffers, slots);
    });
    if (kept) source.keep(kept, kept.length);
  }

  copy(from: number, to: number): void {
    this.#permute([from], [to]);
  }

  swap(a: number, b: number): void {
    this.#permute([a, b], [b, a]);
  }

  save(slot: number, length: number): DeviceRows {
    const { device, save } = this.#copies;
    const rows: DeviceRows = {
      length,
      free: () =>
        device.soon(async () => {
          for (const tensor of Object.values(rows.tensors ?? {})) tensor.dispose();
          delete rows.tensors;
        }),
    };
    device.soon(async () => {
      rows.tensors = await save.run({
        ...prefixed("from_", this.#buffers),
        from: integers([slot]),
        positions: integers(Array.from({ length }, (_, i) => i)),
      });
    });
    return rows;
  }

  restore(slot: number, saved: DeviceRows): void {
    this.#copies.device.soon(async () => {
      const fitting = clampedPositions(this.capacity, saved.length);
      const slots = { from: [0], to: [slot], fitting };
      await copySlots(this.#copies, "transfer", saved.tensors!, this.#buffers, slots);
    });
  }

  /** Makes all of some slots zeros again: what is no number would spread to whoever has the slot next. */
  clear(slots: readonly number[]): void {
    const { device, shape, layout } = this.#copies;
    device.soon(async () => {
      const zeros: Record<string, DeviceTensor> = {};
      const shapes = bufferShapes(shape, layout, 1, 1);
      for (const { name, kind } of buffersOf(shape, layout))
        zeros[name] = await device.allocate(layout.precision, shapes[kind]);
      await copySlots(this.#copies, "transfer", zeros, this.#buffers, {
        from: slots.map(() => 0),
        to: slots,
        fitting: clampedPositions(this.capacity, 1),
      });
      for (const zero of Object.values(zeros)) zero.dispose();
    });
  }

  #permute(from: readonly number[], to: readonly number[]): void {
    this.#copies.device.soon(async () => {
      await copySlots(this.#copies, "copy", this.#buffers, this.#buffers, { from, to });
    });
  }

  /** Buffer by buffer, so that both are in memory of one at a time. */
  async #replace(slots: readonly number[], room: number): Promise<void> {
    const { device, shape, layout } = this.#copies;
    const before = this.#buffers;
    this.#buffers = {};
    this.#views.clear();
    const shapes = bufferShapes(shape, layout, room, this.capacity);
    for (const { name, kind } of buffersOf(shape, layout)) {
      const old = before[name];
      if (room > 0) {
        const made = await (slots.length > 0
          ? pickSlots(this.#copies, old!, slots, room)
          : device.allocate(layout.precision, shapes[kind]));
        this.#buffers = { ...this.#buffers, [name]: made };
      }
      old?.dispose();
    }
  }
}

/** For every position of one slot that of another which may be shorter; beyond its end any will do. */
function clampedPositions(capacity: number, length: number): number[] {
  return Array.from({ length: capacity }, (_, position) => Math.min(position, length - 1));
}
