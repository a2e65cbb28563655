/**
 * The cache in a device's memory: of each layer keys and values of all slots in one
 * buffer, which the graphs for GPUs write into in place. The caller goes on at once;
 * what is to be done is done in turn, before the next pass.
 */
import { GraphBuilder, elements } from "@tinygptv/graph";
import type { Graph, Value } from "@tinygptv/graph";
import type { DeviceTensor, Session, SessionTensor } from "@tinygptv/graph/session";
import type { Device, DeviceMaker } from "./device.ts";
import type { CacheKind, CacheStorage, KvCacheShape, SavedRows } from "./cacheStorage.ts";

type Precision = DeviceTensor["dtype"];

/** How the language model's graph wants its cache. */
export interface DeviceLayout {
  readonly precision: Precision;
  /** Whether keys lie transposed: [slots, heads, headDim, capacity]. */
  readonly transposesKeys: boolean;
}

interface DeviceRows extends SavedRows {
  /** By names of the cache's buffers; there once it is their turn. */
  tensors?: Record<string, DeviceTensor>;
}

type Buffers = Readonly<Record<string, DeviceTensor>>;

export async function openCache(
  device: Device,
  shape: KvCacheShape,
  layout: DeviceLayout,
): Promise<CacheKind<DeviceStorage> & { release(): Promise<void> }> {
  const tools = await openTools(device, shape, layout);
  return {
    shape,
    bytesPerElement: layout.precision === "float16" ? 2 : 4,
    spare: 1,
    createStorage: (capacity) => new DeviceStorage(tools, capacity),
    async release() {
      for (const { release } of [tools.copy, tools.transfer, tools.copyOne, tools.save])
        await release();
    },
  };
}

export class DeviceStorage implements CacheStorage {
  readonly isAnchored = true;
  readonly capacity: number;
  readonly #tools: Tools;
  #buffers: Buffers = {};
  #views = new Map<number, Buffers>();

  constructor(tools: Tools, capacity: number) {
    this.#tools = tools;
    this.capacity = capacity;
  }

  /** The first so many slots of every buffer, `key.N` and `value.N`. To be asked in turn. */
  firstSlots(count: number): Buffers {
    const { device } = this.#tools;
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
    this.#tools.device.soon(() => this.#replace(slots, room));
  }

  takeOver(
    source: DeviceStorage,
    from: number,
    to: number,
    { kept }: { length: number; kept?: readonly number[] | undefined },
  ): void {
    this.#tools.device.soon(async () => {
      const fitting = clampedPositions(this.capacity, source.capacity);
      const slots = { from: [from], to: [to], fitting };
      await run(this.#tools, "transfer", source.#buffers, this.#buffers, slots);
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
    const { device, save } = this.#tools;
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
        from: int64([slot]),
        positions: int64(Array.from({ length }, (_, i) => i)),
      });
    });
    return rows;
  }

  restore(slot: number, saved: DeviceRows): void {
    this.#tools.device.soon(async () => {
      const fitting = clampedPositions(this.capacity, saved.length);
      const slots = { from: [0], to: [slot], fitting };
      await run(this.#tools, "transfer", saved.tensors!, this.#buffers, slots);
    });
  }

  /** Makes all of some slots zeros again: what is no number would spread to whoever has the slot next. */
  clear(slots: readonly number[]): void {
    const { device, shape, layout } = this.#tools;
    device.soon(async () => {
      const zeros: Record<string, DeviceTensor> = {};
      const shapes = bufferShapes(shape, layout, 1, 1);
      for (const { name, kind } of buffersOf(shape, layout))
        zeros[name] = await device.allocate(layout.precision, shapes[kind]);
      await run(this.#tools, "transfer", zeros, this.#buffers, {
        from: slots.map(() => 0),
        to: slots,
        fitting: clampedPositions(this.capacity, 1),
      });
      for (const zero of Object.values(zeros)) zero.dispose();
    });
  }

  #permute(from: readonly number[], to: readonly number[]): void {
    this.#tools.device.soon(async () => {
      await run(this.#tools, "copy", this.#buffers, this.#buffers, { from, to });
    });
  }

  /** Layer by layer, so that both are in memory of one at a time. */
  async #replace(slots: readonly number[], room: number): Promise<void> {
    const { device, shape, layout } = this.#tools;
    const before = this.#buffers;
    this.#buffers = {};
    this.#views.clear();
    for (const { key, value } of namesOf(shape)) {
      const old = { key: before[key]!, value: before[value]! };
      if (room > 0) {
        const shapes = bufferShapes(shape, layout, room, this.capacity);
        const made = {
          key: await device.allocate(layout.precision, shapes.key),
          value: await device.allocate(layout.precision, shapes.value),
        };
        if (slots.length > 0)
          await run(this.#tools, "copyOne", renamed(old), renamed(made), {
            from: slots,
            to: slots.map((_, place) => place),
          });
        this.#buffers = { ...this.#buffers, [key]: made.key, [value]: made.value };
      }
      old.key?.dispose();
      old.value?.dispose();
    }
  }
}

/** What moves rows about on the device. */
interface Tools {
  readonly device: Device;
  readonly shape: KvCacheShape;
  readonly layout: DeviceLayout;
  /** Copies slots within buffers, and between such as are equally long. */
  readonly copy: Session;
  /** Copies slots of other buffers, however long those are, into buffers. */
  readonly transfer: Session;
  /** As `copy`, for a single layer, the first by name. */
  readonly copyOne: Session;
  /** Copies the beginning of a slot out. */
  readonly save: DeviceMaker;
}

async function openTools(
  device: Device,
  shape: KvCacheShape,
  layout: DeviceLayout,
): Promise<Tools> {
  const single = { ...shape, numLayers: 1 };
  return {
    device,
    shape,
    layout,
    copy: await device.open(copyGraph(shape, layout, { isFitted: false })),
    transfer: await device.open(copyGraph(shape, layout, { isFitted: true })),
    copyOne: await device.open(copyGraph(single, layout, { isFitted: false })),
    save: await device.openMaker(saveGraph(shape, layout)),
  };
}

const namesOf = ({ numLayers }: KvCacheShape) =>
  Array.from({ length: numLayers }, (_, layer) => ({
    key: `key.${layer}`,
    value: `value.${layer}`,
  }));

/** Slots, then the dimensions of one. */
function bufferShapes<Size extends number | string>(
  { numHeads, headDim }: KvCacheShape,
  { transposesKeys }: DeviceLayout,
  slots: Size,
  capacity: Size,
): { key: (Size | number)[]; value: (Size | number)[] } {
  const rows = [slots, numHeads, capacity, headDim];
  return { key: transposesKeys ? [slots, numHeads, headDim, capacity] : rows, value: rows };
}

const slotAxis = 0;
const positionAxis = {
  key: ({ transposesKeys }: DeviceLayout) => (transposesKeys ? 3 : 2),
  value: () => 2,
};

/** Each buffer of a graph: its name, and the axis that positions run along. */
function* buffersOf(shape: KvCacheShape, layout: DeviceLayout) {
  for (const names of namesOf(shape))
    for (const kind of ["key", "value"] as const)
      yield { name: names[kind], kind, axis: positionAxis[kind](layout) };
}

const gather = (g: GraphBuilder, x: Value, at: Value, axis: number, label: string) =>
  g.op("Gather", [x, at], { attributes: { axis }, label });

/**
 * from_… (F,…,Q), to_… (R,Y), from (M), key_rows and value_rows (M·heads·X,1),
 * fitting (P): positions of the one for each of the other, int64 -> the latter,
 * with slots `from` of the one in their rows
 *
 * Targets are given row by row, [slots·heads·X, Y], since the operator that writes
 * gives each row to one thread of the device: whole slots would take it a thousand times as long.
 * @param isFitted whether the two differ in length
 */
function copyGraph(
  shape: KvCacheShape,
  layout: DeviceLayout,
  { isFitted }: { isFitted: boolean },
): Graph {
  const g = new GraphBuilder("copy");
  const from = g.input("from", "int64", ["M"]);
  const moved = bufferShapes(shape, layout, "M", "P");
  const rowsOf = {
    key: g.input("key_rows", "int64", [elements(moved.key.slice(0, 3)), 1]),
    value: g.input("value_rows", "int64", [elements(moved.value.slice(0, 3)), 1]),
  };
  const fitting = isFitted ? g.input("fitting", "int64", ["P"]) : undefined;
  const sources = bufferShapes(shape, layout, "F", isFitted ? "Q" : "P");
  for (const { name, kind, axis } of buffersOf(shape, layout)) {
    const at = g.at(name);
    const source = g.input(`from_${name}`, layout.precision, sources[kind]);
    const width = axis === 3 ? "P" : shape.headDim;
    const target = g.input(`to_${name}`, layout.precision, [`${kind} rows`, width]);
    let rows = gather(at, source, from, slotAxis, "rows");
    if (fitting) rows = gather(at, rows, fitting, axis, "positions");
    const flat = at.op("Flatten", [rows], { attributes: { axis: 3 } });
    g.output(name, at.op("ScatterND", [target, rowsOf[kind], flat]));
  }
  return g.build();
}

/** from_… (F,…,Q), from (M), positions (L) int64 -> rows `from` at those positions */
function saveGraph(shape: KvCacheShape, layout: DeviceLayout): Graph {
  const g = new GraphBuilder("save");
  const from = g.input("from", "int64", ["M"]);
  const positions = g.input("positions", "int64", ["L"]);
  const sources = bufferShapes(shape, layout, "F", "Q");
  for (const { name, kind, axis } of buffersOf(shape, layout)) {
    const at = g.at(name);
    const source = g.input(`from_${name}`, layout.precision, sources[kind]);
    const rows = gather(at, source, from, slotAxis, "rows");
    g.output(name, gather(at, rows, positions, axis, "positions"));
  }
  return g.build();
}

/** Copies slots `from` of one storage's buffers over the slots `to` of another's. */
function run(
  tools: Tools,
  session: "copy" | "copyOne" | "transfer",
  source: Buffers,
  target: Buffers,
  slots: { from: readonly number[]; to: readonly number[]; fitting?: readonly number[] },
) {
  const rows = mapValues(target, (buffer) => tools.device.reshaped(buffer, 2));
  const rowsOf = (buffer: DeviceTensor) => {
    const perSlot = buffer.shape[1]! * buffer.shape[2]!;
    return slots.to.flatMap((slot) =>
      Array.from({ length: perSlot }, (_, i) => slot * perSlot + i),
    );
  };
  const [keys, values] = [rowsOf(target["key.0"]!), rowsOf(target["value.0"]!)];
  return tools[session].run(
    {
      ...prefixed("from_", source),
      ...prefixed("to_", rows),
      from: int64(slots.from),
      key_rows: int64(keys, [keys.length, 1]),
      value_rows: int64(values, [values.length, 1]),
      ...(slots.fitting && { fitting: int64(slots.fitting) }),
    },
    [],
    rows,
  );
}

/** For every position of one slot that of another which may be shorter; beyond its end any will do. */
function clampedPositions(capacity: number, length: number): number[] {
  return Array.from({ length: capacity }, (_, position) => Math.min(position, length - 1));
}

const renamed = ({ key, value }: Record<"key" | "value", DeviceTensor>): Buffers => ({
  "key.0": key,
  "value.0": value,
});

const prefixed = (prefix: string, buffers: Buffers) =>
  Object.fromEntries(Object.entries(buffers).map(([name, buffer]) => [prefix + name, buffer]));

function mapValues(buffers: Buffers, map: (buffer: DeviceTensor) => DeviceTensor): Buffers {
  return Object.fromEntries(Object.entries(buffers).map(([name, one]) => [name, map(one)]));
}

function int64(values: readonly number[], shape = [values.length]): SessionTensor {
  return { dtype: "int64", shape, data: BigInt64Array.from(values, BigInt) };
}
