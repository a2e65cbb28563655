/** Products of the self-test: of quantized weights, for whether they are right, and of large matrices, for how fast they are. */
import { GraphBuilder } from "@tinygptv/graph";
import type { Session } from "@tinygptv/graph/session";
import { seeded } from "../decoding/rng.ts";
import type { Device } from "./device.ts";
import type { OpenOnProcessor } from "./selfTestModel.ts";

/** Milliseconds after which a product is not timed once more: a page's one thread takes seconds for a single one. */
const patience = 1000;

/** One row, a few and many: kernels differ. */
const rowCounts = [1, 3, 40];

/** How far products with weights of so many bits are from the processor's, at most. */
export async function productDistance(
  device: Device,
  bits: 4 | 8,
  onProcessor: OpenOnProcessor,
): Promise<number> {
  const [K, N, size] = [256, 160, 128];
  const random = seeded(bits);
  const g = new GraphBuilder("products");
  const x = g.input("x", "float32", ["rows", K]);
  const codes = Uint8Array.from({ length: (N * K * bits) / 8 }, () => random() * 256);
  const scales = Float32Array.from({ length: (N * K) / size }, () => 0.01 + random() / 100);
  const inputs = [
    x,
    g.initializer({
      name: "codes",
      dtype: "uint8",
      shape: [N, K / size, (size * bits) / 8],
      load: async () => codes,
    }),
    g.initializer({
      name: "scales",
      dtype: "float32",
      shape: [scales.length],
      load: async () => new Uint8Array(scales.buffer),
    }),
  ];
  const attributes = { K, N, bits, block_size: size, accuracy_level: 0 };
  g.output("y", g.op("MatMulNBits", inputs, { attributes }));
  const graph = g.build();
  const run = async (session: Session) => {
    const results: Float32Array[] = [];
    for (const rows of rowCounts) {
      const data = new Float32Array(rows * K).map((_, i) => Math.sin(i));
      const { y } = await session.run({ x: { dtype: "float32", shape: [rows, K], data } }, ["y"]);
      results.push(y!);
    }
    await session.release();
    return results;
  };
  const want = await run(await onProcessor(graph));
  const got = await run(await device.open(graph));
  return Math.max(...got.map((values, i) => distance(values, want[i]!)));
}

/**
 * How many times as fast as the processor the device multiplies matrices: few rows
 * first, for what is software that passes for a device, then as many as keep one busy.
 */
export async function speedOf(device: Device, onProcessor: OpenOnProcessor): Promise<number> {
  const width = 1024;
  const values = new Float32Array(width * width).map((_, i) => Math.sin(i) / width);
  const g = new GraphBuilder("speed");
  const load = async () => new Uint8Array(values.buffer);
  const w = g.initializer({ name: "w", dtype: "float32", shape: [width, width], load });
  let y = g.input("x", "float32", ["rows", width]);
  for (let i = 0; i < 8; i++) y = g.op("MatMul", [y, w], { label: String(i) });
  // Only a row comes back: what is measured is the product.
  g.output("y", g.op("Gather", [y, g.constant("int64", [0])], { attributes: { axis: 0 } }));
  const sessions = [await onProcessor(g.build()), await device.open(g.build())] as const;
  const ratio = async (rows: number) => {
    const x = {
      dtype: "float32" as const,
      shape: [rows, width],
      data: new Float32Array(rows * width).fill(1),
    };
    const times = [];
    for (const session of sessions) {
      let best = Infinity;
      const begin = performance.now();
      for (let i = 0; i < 4 && performance.now() - begin < patience; i++) {
        const start = performance.now();
        await session.run({ x }, ["y"]);
        best = Math.min(best, performance.now() - start);
      }
      times.push(best);
    }
    return times[0]! / times[1]!;
  };
  let speed = await ratio(16);
  if (speed > 0.1) speed = await ratio(2048);
  for (const session of sessions) await session.release();
  return speed;
}

/** Of two results, relative to the length of the one that is wanted. */
export function distance(got: Float32Array, want: Float32Array): number {
  let difference = 0;
  let length = 0;
  for (let i = 0; i < want.length; i++) {
    difference += (got[i]! - want[i]!) ** 2;
    length += want[i]! ** 2;
  }
  return Math.sqrt(difference / length);
}
