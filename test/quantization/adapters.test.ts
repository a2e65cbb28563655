/** LoRA beside integer weights against the same by hand: codes taken apart, B·A added, in float32. */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { readModel } from "../../lib/graph/src/disk.ts";
import type { Graph, Initializer } from "../../lib/graph/src/graph.ts";
import type { Session, SessionTensor } from "../../lib/graph/src/session.ts";
import { readManifest } from "../../lib/model/src/readManifest.ts";
import { viewAs } from "../../lib/model/src/tensor/half.ts";
import { transpose } from "../../lib/model/src/tensor/transpose.ts";
import { adaptable } from "../../lib/network/src/adaptable.ts";
import { feedsFromNothing } from "../../lib/network/src/feeds.ts";
import { linearLayers } from "../../lib/network/src/linear.ts";
import { openSession } from "../../lib/runtime/src/session/runtime.ts";
import { randomWeights } from "../support/randomAdapter.ts";

const nano = fileURLToPath(new URL("../../models/nano/converted", import.meta.url));
const { config, levels } = await readManifest(nano);
const { width } = config.phi;
const [rank, scale] = [8, 2];
const positions = 7;
const embeds = Float32Array.from({ length: positions * width }, (_, i) => Math.sin(i * i + 1));

const floats = async ({ load }: Pick<Initializer, "load">) => viewAs(Float32Array, await load());
const trained = new Map(
  await Promise.all(
    (await randomWeights(nano, { seed: 3, rank, norms: true })).map(
      async ({ name, load }) => [name, await load()] as const,
    ),
  ),
);

/** With inputs that are rounded as the level has it, or not at all. */
async function besideOf(stored: Graph, folder: string, accuracy: number) {
  const { graph, places } = adaptable(stored, config.phi);
  const nodes = graph.nodes.map((node) =>
    node.op === "MatMulNBits"
      ? { ...node, attributes: { ...node.attributes, accuracy_level: accuracy } }
      : node,
  );
  const session = await openSession({ graph: { ...graph, nodes }, folder }, { threads: 1 });
  const plain: Record<string, SessionTensor> = {};
  const adapted: Record<string, SessionTensor> = {};
  for (const [name, { without }] of places) {
    plain[name] = { dtype: "float32", shape: without.shape, data: await floats(without) };
    const values = trained.get(name);
    const [first, second] = without.shape as [number, number];
    const isA = name.endsWith("loraA");
    if (!values) adapted[name] = plain[name];
    else if (isA) adapted[name] = tensor([first, rank], transpose(values, rank, first));
    else if (name.endsWith("loraB"))
      adapted[name] = tensor(
        [rank, second],
        transpose(values, second, rank).map((value) => scale * value),
      );
    else adapted[name] = tensor(without.shape, values);
  }
  return { session, plain, adapted };
}
const tensor = (shape: readonly number[], data: Float32Array): SessionTensor => ({
  dtype: "float32",
  shape,
  data,
});

/** The float32 graph with what the codes stand for, LoRA and norms in the place of its weights. */
async function byHand(stored: Graph, float: Graph): Promise<Graph> {
  const initializers = new Map(float.initializers);
  const put = (name: string, values: Float32Array) =>
    initializers.set(name, {
      ...float.initializers.get(name)!,
      place: undefined,
      load: async () => new Uint8Array(values.buffer),
    });
  for (const { name, weight } of linearLayers(float)) {
    const [columns, rows] = weight.shape as [number, number];
    const codes = await stored.initializers.get(`${name}.codes`)!.load();
    const scales = await floats(stored.initializers.get(`${name}.scales`)!);
    const bits = stored.nodes.find(({ inputs }) => inputs.includes(`${name}.codes`))!.attributes[
      "bits"
    ] as number;
    const values = new Float32Array(rows * columns);
    const [a, b] = ["A", "B"].map((matrix) => trained.get(`${name}.lora${matrix}`));
    const blocks = Math.ceil(columns / 128);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const at = row * blocks * 128 + column;
        const code = bits === 8 ? codes[at]! - 128 : ((codes[at >> 1]! >> (4 * (at & 1))) & 15) - 8;
        let value = code * scales[row * blocks + Math.floor(column / 128)]!;
        if (a && b)
          for (let r = 0; r < rank; r++)
            value += scale * b[row * rank + r]! * a[r * columns + column]!;
        values[column * rows + row] = value;
      }
    put(weight.name, values);
  }
  for (const [name, values] of trained) if (initializers.has(name)) put(name, values);
  return { ...float, initializers };
}

async function run(session: Session, besides: Record<string, SessionTensor>, outputs: string[]) {
  return session.run({ ...feedsFromNothing(embeds, config.phi), ...besides }, outputs);
}
/** Largest difference, as a share of the largest number. */
function difference(got: Float32Array, want: Float32Array): number {
  const largest = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return got.reduce((most, value, i) => Math.max(most, Math.abs(value - want[i]!)), 0) / largest;
}

it.each(["int8", "int4"])("%s: what the codes stand for and LoRA, to 1e-5", async (level) => {
  const path = `${nano}/${levels[level]!.phi}`;
  const stored = await readModel(path);
  const { session, adapted } = await besideOf(stored, dirname(path), 0);
  const floatPath = `${nano}/${levels["fp32"]!.phi}`;
  const graph = await byHand(stored, await readModel(floatPath));
  const reference = await openSession({ graph, folder: dirname(floatPath) }, { threads: 1 });
  const { logits: got } = await run(session, adapted, ["logits"]);
  const { logits: want } = await run(reference, {}, ["logits"]);
  expect(difference(got!, want!)).toBeLessThan(1e-5);
  await Promise.all([session.release(), reference.release()]);
});

it.each(["int8", "int4"])(
  "%s, inputs rounded as it is served: LoRA adds (x·A)·B of inputs that are not",
  async (level) => {
    const path = `${nano}/${levels[level]!.phi}`;
    const stored = await readModel(path);
    const { session, plain, adapted } = await besideOf(stored, dirname(path), 4);
    const lora = Object.entries(adapted).filter(([name]) => /layers\.0\..*qkv\.lora/.test(name));
    const [before, after] = await Promise.all([
      run(session, plain, ["value.0"]),
      run(session, { ...plain, ...Object.fromEntries(lora) }, ["value.0"]),
    ]);
    const added = after["value.0"]!.map((value, i) => value - before["value.0"]![i]!);
    expect(difference(added, await loraOfValues(stored))).toBeLessThan(1e-5);
    await session.release();
  },
);

it.each(Object.keys(levels))(
  "%s with places for an adapter and none in them computes the same, bit for bit",
  async (level) => {
    const path = `${nano}/${levels[level]!.phi}`;
    const { graph, places } = adaptable(await readModel(path), config.phi);
    const session = await openSession({ graph, folder: dirname(path) }, { threads: 1 });
    const alone = await openSession(path, { threads: 1 });
    const none: Record<string, SessionTensor> = {};
    for (const [name, { without }] of places)
      none[name] = tensor(without.shape, await floats(without));
    const outputs = alone.outputs.map(({ name }) => name);
    expect(await run(session, none, outputs)).toEqual(await run(alone, {}, outputs));
    await Promise.all([session.release(), alone.release()]);
  },
);

/** scale·B·(A·x) of the first layer's values, x its normed inputs. [heads, positions, headDim] */
async function loraOfValues(stored: Graph): Promise<Float32Array> {
  const [weight, bias] = await Promise.all(
    ["weight", "bias"].map((part) => floats(stored.initializers.get(`phi.layers.0.norm.${part}`)!)),
  );
  const [a, b] = ["A", "B"].map((matrix) =>
    trained.get(`phi.layers.0.attention.qkv.lora${matrix}`)!,
  );
  const { headDim, layerNormEps } = config.phi;
  const result = new Float32Array(positions * width);
  for (let position = 0; position < positions; position++) {
    const row = embeds.subarray(position * width, (position + 1) * width);
    const mean = row.reduce((sum, value) => sum + value, 0) / width;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
    const x = Array.from(
      row,
      (value, i) => ((value - mean) / Math.sqrt(variance + layerNormEps)) * weight![i]! + bias![i]!,
    );
    const low = Array.from({ length: rank }, (_, r) =>
      x.reduce((sum, value, i) => sum + value * a![r * width + i]!, 0),
    );
    for (let column = 0; column < width; column++) {
      const out = 2 * width + column; // behind queries and keys
      const value = low.reduce((sum, each, r) => sum + scale * each * b![out * rank + r]!, 0);
      const [head, entry] = [Math.floor(column / headDim), column % headDim];
      result[(head * positions + position) * headDim + entry] = value;
    }
  }
  return result;
}
