/**
 * Whether a device computes what a processor does, and by which forms of the
 * graphs: a picture and some steps of a small model with made-up weights. Drivers,
 * compilers of shaders and kernels differ, and a wrong one answers without a word.
 */
import { GraphBuilder } from "@tinygptv/graph";
import type { Graph } from "@tinygptv/graph";
import type { Session } from "@tinygptv/graph/session";
import { elementCount } from "@tinygptv/model";
import type { Component, ModelConfig } from "@tinygptv/model";
import { buildGraphs, type Weights } from "@tinygptv/network";
import { seeded } from "../decoding/rng.ts";
import type { ForwardRow } from "../decoding/sequence.ts";
import type { Device } from "./device.ts";
import { deviceGraph } from "./deviceGraphs.ts";
import { devicePasses, type DeviceForm } from "./devicePass.ts";
import { hostPasses } from "./hostPass.ts";
import { createLanguageModel } from "./languageModel.ts";
import { findRowCounts } from "./rowCounts.ts";
import { encodeImage } from "./vision.ts";

/** What a test has found of one way to compute. */
export interface Finding {
  /** `picture`, `int4 products`, `inPlace float32`. */
  readonly what: string;
  readonly passed: boolean;
  /** Distance from the processor's result, relative to its length; or what went wrong. */
  readonly got: number | string;
}

export interface Verdict {
  /** Forms that passed, the best first; none where the device computes wrong. */
  readonly forms: readonly DeviceForm[];
  readonly findings: readonly Finding[];
  /** How many times faster than the processor a product of large matrices is. */
  readonly speed: number;
}

/** Opens a graph on the processor. */
export type OpenOnProcessor = (graph: Graph) => Promise<Session>;

/** Distances that different orders of addition come to, and no mistake; in half precision others. */
const allowed = { float32: 1e-4, float16: 2e-2 };

/** In their order of merit: fewer steps of the device, then less memory. */
const forms: readonly DeviceForm[] = [
  { attention: "grouped", precision: "float16" },
  { attention: "inPlace", precision: "float16" },
  { attention: "grouped", precision: "float32" },
  { attention: "inPlace", precision: "float32" },
];

/** Long enough for the kernels that long prompts meet: more than 32 positions, heads of 80 as Phi-2's. */
const config: ModelConfig = {
  vision: {
    imageSize: 84,
    patchSize: 14,
    width: 64,
    depth: 1,
    numHeads: 2,
    mlpWidth: 128,
    normEps: 1e-6,
    finalNormEps: 1e-5,
  },
  qformer: {
    width: 64,
    numLayers: 2,
    numHeads: 2,
    mlpWidth: 128,
    crossAttentionFrequency: 2,
    numQueryTokens: 8,
    layerNormEps: 1e-12,
  },
  mapping: { width: 64 },
  phi: {
    width: 160,
    numLayers: 2,
    numHeads: 2,
    headDim: 80,
    rotaryDim: 32,
    ropeTheta: 10000,
    mlpWidth: 320,
    vocabSize: 96,
    layerNormEps: 1e-5,
    postNormEps: 1e-6,
    contextLength: 256,
  },
  tokens: { endOfText: 0, stop: 1 },
};

/**
 * @param makeDevice the same device each time, as if nothing had happened on it
 */
export async function selfTest(
  makeDevice: () => Device,
  onProcessor: OpenOnProcessor,
): Promise<Verdict> {
  const stored = buildGraphs(madeUpWeights(), config);
  const findings: Finding[] = [];
  const find = async (what: string, most: number, measure: () => Promise<number>) => {
    const got = await measure().catch((error: Error) => error.message);
    const passed = typeof got === "number" && got < most;
    findings.push({ what, passed, got });
    return passed;
  };

  const device = makeDevice();
  const isSound =
    (await find("picture", allowed.float32, () => pictureDistance(device, stored, onProcessor))) &&
    (await find("products of 4 bits", allowed.float32, () =>
      productDistance(device, 4, onProcessor),
    )) &&
    (await find("products of 8 bits", allowed.float32, () =>
      productDistance(device, 8, onProcessor),
    ));
  if (!isSound) return { forms: [], findings, speed: 0 };

  const passed: DeviceForm[] = [];
  const wanted = await steps(await processorModel(stored, onProcessor));
  for (const form of forms) {
    const { attention, precision } = form;
    const isRight = await find(`${attention} ${precision}`, allowed[precision], async () => {
      const { model, close } = await deviceModel(makeDevice(), stored, form);
      const got = await steps(model);
      await close();
      return Math.max(...got.map((logits, i) => distance(logits, wanted[i]!)));
    });
    if (isRight) passed.push(form);
  }
  return { forms: passed, findings, speed: await speedOf(device, onProcessor) };
}

async function pictureDistance(
  device: Device,
  stored: Record<Component, Graph>,
  onProcessor: OpenOnProcessor,
): Promise<number> {
  const { imageSize } = config.vision;
  const pixels = new Float32Array(3 * imageSize ** 2).map((_, i) => Math.sin(i / 7));
  const encode = async (open: (component: Component) => Promise<Session>) => {
    const sessions = {
      vision: await open("vision"),
      qformer: await open("qformer"),
      mapping: await open("mapping"),
    };
    const features = await encodeImage(sessions, pixels, config);
    for (const { release } of Object.values(sessions)) await release();
    return features;
  };
  const form = forms.at(-1)!;
  const want = await encode((component) => onProcessor(stored[component]));
  const got = await encode((component) =>
    device.open(deviceGraph(component, stored[component], config, form)),
  );
  return distance(got, want);
}

/** One row, a few and many: kernels differ. */
const rowCounts = [1, 3, 40];

async function productDistance(
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

type Speaking = ReturnType<typeof createLanguageModel>;

const embeddings = {
  lookUp: (tokens: readonly number[], out: Float32Array, offset: number) => {
    const { width } = config.phi;
    tokens.forEach((token, i) => {
      for (let j = 0; j < width; j++) out[offset + i * width + j] = Math.sin(token * 31 + j * 0.7);
    });
  },
  close: () => {},
};

async function processorModel(
  stored: Record<Component, Graph>,
  onProcessor: OpenOnProcessor,
): Promise<Speaking> {
  const session = await onProcessor(stored.phi);
  const counts = await findRowCounts(session, config.phi);
  return createLanguageModel(hostPasses(session, embeddings, config.phi, counts), config.phi);
}

async function deviceModel(device: Device, stored: Record<Component, Graph>, form: DeviceForm) {
  const session = await device.open(deviceGraph("phi", stored.phi, config, form));
  const passes = await devicePasses(device, session, embeddings, config.phi, form);
  return {
    model: createLanguageModel(passes, config.phi),
    async close() {
      await passes.close();
      await session.release();
    },
  };
}

/** Sums over the layers of a model can grow to where half precision ends. */
const large = 1e5;

/** A long prompt, a short one after it, single positions together, a fork and a return: logits of each. */
async function steps(model: Speaking): Promise<Float32Array[]> {
  const results: Float32Array[] = [];
  const run = async (...rows: [ForwardRow["sequence"], readonly number[] | Float32Array][]) => {
    const logits = await model.forward(
      rows.map(([sequence, input]) => ({
        sequence,
        input: input instanceof Float32Array ? { embeds: input } : { tokens: input },
        logits: "last",
      })),
    );
    results.push(...logits.map((row) => row.slice()));
  };
  const tokens = (count: number) => Array.from({ length: count }, (_, i) => (i * 37) % 96);
  const [one, two] = [model.create(), model.create()];
  await run([one, tokens(40)]);
  await run([one, tokens(33)]);
  await run([two, new Float32Array(5 * config.phi.width).map((_, i) => large * Math.cos(i))]);
  await run([one, [7]], [two, [8]]);
  const three = model.fork(two);
  await run([one, [9]], [two, [10]], [three, [11]]);
  model.release(two);
  await run([three, tokens(9)]);
  for (const sequence of [one, three]) model.release(sequence);
  return results;
}

/**
 * How many times as fast as the processor the device multiplies matrices: few rows
 * first, for what is software that passes for a device, then as many as keep one busy.
 */
async function speedOf(device: Device, onProcessor: OpenOnProcessor): Promise<number> {
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
      for (let i = 0; i < 4; i++) {
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

function distance(got: Float32Array, want: Float32Array): number {
  let difference = 0;
  let length = 0;
  for (let i = 0; i < want.length; i++) {
    difference += (got[i]! - want[i]!) ** 2;
    length += want[i]! ** 2;
  }
  return Math.sqrt(difference / length);
}

/** As trained ones are: small and of no particular sign; norms around 1. The same whenever they are asked for. */
function madeUpWeights(): Weights {
  return (name, shape) => ({
    name,
    shape,
    load: async () => {
      const random = seeded(
        [...name].reduce((seed, letter) => (seed * 31 + letter.charCodeAt(0)) % 2 ** 31, 7),
      );
      const isNorm = /norm\w*\.weight$/i.test(name);
      const spread = 1 / Math.sqrt(shape.at(-1)!);
      return Float32Array.from(
        { length: elementCount(shape) },
        () => (isNorm ? 1 : 0) + (2 * random() - 1) * (isNorm ? 0.1 : spread),
      );
    },
  });
}
