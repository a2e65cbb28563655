/** What moves rows of a cache about in a device's memory: small graphs over the buffers of all layers. */
import { GraphBuilder, elements } from "@tinygptv/graph";
import type { Graph, Value } from "@tinygptv/graph";
import type { DeviceTensor, Session } from "@tinygptv/graph/session";
import { elementCount } from "@tinygptv/model";
import { integers } from "@tinygptv/network/feeds";
import type { KvCacheShape } from "./cacheStorage.ts";
import type { Device, DeviceMaker } from "./device.ts";

type Precision = DeviceTensor["dtype"];

/** How the language model's graph wants its cache. */
export interface DeviceLayout {
  readonly precision: Precision;
  /** Whether keys lie transposed: [slots, heads, headDim, capacity]. */
  readonly transposesKeys: boolean;
}

/** Keys and values of all slots, by `key.N` and `value.N`. */
export type Buffers = Readonly<Record<string, DeviceTensor>>;

/** What moves rows about on the device. */
export interface Copies {
  readonly device: Device;
  readonly shape: KvCacheShape;
  readonly layout: DeviceLayout;
  /** Copies slots within buffers, and between such as are equally long. */
  readonly copy: Session;
  /** Copies slots of other buffers, however long those are, into buffers. */
  readonly transfer: Session;
  /** Makes one buffer anew of some of its slots, and of as many zeros behind them as wanted. */
  readonly pick: DeviceMaker;
  readonly pickAndGrow: DeviceMaker;
  /** Copies the beginning of a slot out. */
  readonly save: DeviceMaker;
}

export async function openCopies(
  device: Device,
  shape: KvCacheShape,
  layout: DeviceLayout,
): Promise<Copies> {
  return {
    device,
    shape,
    layout,
    copy: await device.open(copyGraph(shape, layout, { isFitted: false })),
    transfer: await device.open(copyGraph(shape, layout, { isFitted: true })),
    pick: await device.openMaker(pickGraph(layout, { grows: false })),
    pickAndGrow: await device.openMaker(pickGraph(layout, { grows: true })),
    save: await device.openMaker(saveGraph(shape, layout)),
  };
}

const namesOf = ({ numLayers }: KvCacheShape) =>
  Array.from({ length: numLayers }, (_, layer) => ({
    key: `key.${layer}`,
    value: `value.${layer}`,
  }));

/** Slots, then the dimensions of one. */
export function bufferShapes<Size extends number | string>(
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
export function* buffersOf(shape: KvCacheShape, layout: DeviceLayout) {
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

/** buffer (F,W), slots (M), and where it grows zeros (2): Z and W, int64 -> buffer (M+Z,W) */
function pickGraph({ precision }: DeviceLayout, { grows }: { grows: boolean }): Graph {
  const g = new GraphBuilder("pick");
  const buffer = g.input("buffer", precision, ["F", "W"]);
  const slots = g.input("slots", "int64", ["M"]);
  let picked = gather(g, buffer, slots, slotAxis, "slots");
  if (grows) {
    const shape = g.input("zeros", "int64", [2], ["Z", "W"]);
    const zero = g.initializer({
      name: "zero",
      dtype: precision,
      shape: [1],
      load: async () => new Uint8Array(precision === "float32" ? 4 : 2),
    });
    const zeros = g.op("Expand", [zero, shape]);
    picked = g.op("Concat", [picked, zeros], { attributes: { axis: 0 } });
  }
  g.output("picked", picked);
  return g.build();
}

/** A buffer of `room` slots that begins with the given ones of another; at least one. */
export async function pickSlots(
  { device, pick, pickAndGrow }: Copies,
  buffer: DeviceTensor,
  slots: readonly number[],
  room: number,
): Promise<DeviceTensor> {
  const [held, ...ofSlot] = buffer.shape as [number, ...number[]];
  const width = elementCount(ofSlot);
  const more = room - slots.length;
  const { picked } = await (more > 0 ? pickAndGrow : pick).run({
    buffer: device.reshaped(buffer, [held, width]),
    slots: integers(slots),
    ...(more > 0 && { zeros: integers([more, width]) }),
  });
  return device.reshaped(picked!, [room, ...ofSlot]);
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
export function copySlots(
  copies: Copies,
  session: "copy" | "transfer",
  source: Buffers,
  target: Buffers,
  slots: { from: readonly number[]; to: readonly number[]; fitting?: readonly number[] },
) {
  const rows = mapValues(target, (buffer) => rowByRow(copies.device, buffer));
  const rowsOf = (buffer: DeviceTensor) => {
    const perSlot = buffer.shape[1]! * buffer.shape[2]!;
    return slots.to.flatMap((slot) =>
      Array.from({ length: perSlot }, (_, i) => slot * perSlot + i),
    );
  };
  const [keys, values] = [rowsOf(target["key.0"]!), rowsOf(target["value.0"]!)];
  return copies[session].run(
    {
      ...prefixed("from_", source),
      ...prefixed("to_", rows),
      from: integers(slots.from),
      key_rows: integers(keys, [keys.length, 1]),
      value_rows: integers(values, [values.length, 1]),
      ...(slots.fitting && { fitting: integers(slots.fitting) }),
    },
    [],
    rows,
  );
}

export const prefixed = (prefix: string, buffers: Buffers) =>
  Object.fromEntries(Object.entries(buffers).map(([name, buffer]) => [prefix + name, buffer]));

export function mapValues(buffers: Buffers, map: (buffer: DeviceTensor) => DeviceTensor): Buffers {
  return Object.fromEntries(Object.entries(buffers).map(([name, one]) => [name, map(one)]));
}

/** [slots,heads,X,Y] as [slots·heads·X,Y] */
function rowByRow(device: Device, buffer: DeviceTensor): DeviceTensor {
  const [width, ...outer] = buffer.shape.toReversed() as [number, ...number[]];
  return device.reshaped(buffer, [elementCount(outer), width]);
}
