/** Passes on devices: keys and values are written where they stay (inPlaceAttention.ts and groupedAttention.ts in lib/network). */
import type { DeviceTensor, Session } from "@tinygptv/graph/session";
import type { PhiConfig } from "@tinygptv/model";
import { groupedFeeds, hidden, inPlaceFeeds, integers } from "@tinygptv/network/feeds";
import type { Device } from "./device.ts";
import { openCache, type DeviceStorage } from "./deviceStorage.ts";
import type { TokenEmbeddings } from "./embeddings.ts";
import { areNumbers, inputBuffer, logitsByRow, wantedLogits, type PassRunner } from "./pass.ts";

/** Which form of the language model's graph runs. */
export interface DeviceForm {
  readonly attention: "inPlace" | "grouped";
  readonly precision: DeviceTensor["dtype"];
}

/** @param session of the language model's graph in that form, over weights on the device */
export async function devicePasses(
  device: Device,
  session: Session,
  embeddings: TokenEmbeddings,
  config: PhiConfig,
  form: DeviceForm,
): Promise<PassRunner<DeviceStorage>> {
  const { width, vocabSize } = config;
  const { precision } = form;
  const isGrouped = form.attention === "grouped";
  const layout = { precision, transposesKeys: !isGrouped };
  const cache = await openCache(device, config, layout);
  const embedsOf = inputBuffer(width, embeddings.lookUp);

  /** Runs so many positions of the first slots, each from its own length on. */
  async function runSlots(
    storage: DeviceStorage,
    { embeds, lengths, wanted }: Step,
  ): Promise<Float32Array> {
    const size = lengths.length;
    const count = embeds.length / width / size;
    const buffers = storage.firstSlots(size);
    const feeds = {
      inputs_embeds: { dtype: "float32" as const, shape: [size, count, width], data: embeds },
      logits_rows: integers(wanted),
      ...(isGrouped
        ? groupedFeeds(lengths, count)
        : inPlaceFeeds(lengths, { count, capacity: storage.capacity }, hidden[precision])),
      ...Object.fromEntries(
        Object.entries(buffers).map(([name, buffer]) => [`past_${name}`, buffer]),
      ),
    };
    const { logits } = await session.run(feeds, ["logits"], buffers);
    return logits!;
  }

  const alike = await device.inTurn(() => findAlike(cache.createStorage(16), runSlots, width));

  return {
    kind: cache,
    // Of several positions the grouped operator takes one sequence at a time.
    canShare: (count) => alike.sharing && (count === 1 || !isGrouped),
    async run(batch) {
      const { rows, count, pool, places } = batch;
      // A row by itself may be computed otherwise than beside another: then it gets one that nobody looks at.
      const size = rows.length * count === 1 ? alike.least : rows.length;
      pool.reach(size);
      const lengths = Array.from({ length: size }, (_, place) => pool.tenants[place]?.length ?? 0);
      const wanted = wantedLogits(batch);
      const flat = wanted.flat();
      const padded = flat.length === 1 ? [...flat, ...flat].slice(0, alike.least) : flat;
      const embeds = embedsOf(batch, size);
      const logits = await device.inTurn(() =>
        runSlots(pool.storage, { embeds, lengths, wanted: padded }),
      );
      const own = logitsByRow(logits, wanted, vocabSize);
      // Whoever asked hears of it (engine/scheduler.ts); whoever has the slot next must not.
      const broken = places.filter((_, i) => !areNumbers(own[i]!));
      if (broken.length > 0) pool.storage.clear(broken);
      return own;
    },
    close: () => device.inTurn(cache.release),
  };
}

interface Step {
  /** (B,S,H) */
  embeds: Float32Array;
  /** Of each slot, positions that it holds. */
  lengths: readonly number[];
  /** Of the B·S inputs, those whose logits are wanted. */
  wanted: readonly number[];
}

/** Rows that one and the same input runs in at once. */
const tried = [2, 3, 8];

/**
 * Whether rows of a pass are computed alike, bit for bit, however many there are,
 * and from how many on (rowCounts.ts does the same for processors).
 */
async function findAlike(
  storage: DeviceStorage,
  run: (storage: DeviceStorage, step: Step) => Promise<Float32Array>,
  width: number,
): Promise<{ sharing: boolean; least: number }> {
  try {
    const results: Float32Array[][] = [];
    for (const count of [1, ...tried]) {
      await storage.allocate(count);
      const embeds = new Float32Array(count * width).map((_, i) => Math.sin((i % width) + 1));
      const rows = Array.from({ length: count }, (_, row) => row);
      const logits = await run(storage, { embeds, lengths: rows.map(() => 0), wanted: rows });
      const size = logits.length / count;
      results.push(rows.map((row) => logits.subarray(row * size, (row + 1) * size)));
    }
    const [[alone], ...together] = results as [[Float32Array], ...Float32Array[][]];
    const first = together[0]![0]!;
    const isFirst = (row: Float32Array) => row.every((value, i) => Object.is(value, first[i]));
    return { sharing: together.flat().every(isFirst), least: isFirst(alone) ? 1 : 2 };
  } finally {
    storage.free();
  }
}
