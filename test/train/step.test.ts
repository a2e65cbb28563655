/** A training step: parts of a batch add up, what is kept changes nothing, quantized weights are what they stand for. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findSources } from "../../lib/convert/src/sources.ts";
import { openUnmerged } from "../../lib/convert/src/unmerged.ts";
import { quantizeModel } from "../../lib/convert/src/quantizeModel.ts";
import { readModel } from "../../lib/graph/src/disk.ts";
import type { Graph, Initializer } from "../../lib/graph/src/index.ts";
import { toFloat32, transpose } from "../../lib/model/src/index.ts";
import { readManifest } from "../../lib/model/src/readManifest.ts";
import { withStoredWeights } from "../../lib/network/src/index.ts";
import { openOn, openParts, graphsOf, seeded } from "../../lib/runtime/src/parts.ts";
import { openSession } from "../../lib/runtime/src/session/runtime.ts";
import type { Example } from "../../lib/train/src/data/example.ts";
import { differentiate } from "../../lib/train/src/differentiated.ts";
import { openNetwork, type Network, type WeightSource } from "../../lib/train/src/network.ts";
import { batchOf, encodeExample, type Row } from "../../lib/train/src/rows.ts";
import { fromCheckpoint, fromModel } from "../../lib/train/src/sources.ts";
import { openStepper, type Gradients, type StepOptions } from "../../lib/train/src/step.ts";
import { convertFixture, fixture, temporaryFolder } from "../support/converted.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let model: string;
let options: StepOptions;
let rows: Row[];
let close: () => Promise<void>;
beforeAll(async () => {
  folder = await temporaryFolder();
  model = await convertFixture("micro-stage4", join(folder.path, "model"));
  await quantizeModel(model, ["int8", "int4"], { openSession });
  const manifest = await readManifest(model);
  const files = { folder: model, manifest, files: graphsOf(manifest, "fp32") };
  const parts = await openParts(files, ["tokenizer", "embeddings"], { prepacked: false });
  close = parts.close;
  const { numQueryTokens, width } = manifest.config.qformer;
  options = {
    open: openOn(),
    recomputes: true,
    embeddings: parts.embeddings,
    picture: async (path) => {
      const random = seeded(Number(path));
      return Float32Array.from({ length: numQueryTokens * width }, () => random() * 4 - 2);
    },
  };
  const example = (picture: string | undefined, ...rounds: [string, string][]): Example => ({
    place: "here",
    picture,
    rounds: rounds.map(([prompt, answer]) => ({ prompt, answer })),
    endSymbol: "###",
    maxAnswerTokens: 100,
  });
  rows = [
    example("1", ["[INST] <Img><ImageHere></Img> what is it? [/INST]", "a cat"]),
    example(undefined, ["[INST] say something [/INST]", "a very long answer about nothing at all"]),
    example("2", ["<ImageHere>", "yes"], ["[INST] and now? [/INST]", "no"]),
    example("3", ["<Img><ImageHere></Img>", "b"]),
  ].map((one) => encodeExample(one, parts.tokenizer, numQueryTokens));
});
afterAll(async () => {
  await close();
  await folder.remove();
});

const regime = (dropout: number) => ({
  lora: { rank: 4, alpha: 8, dropout },
  dropout: 2 * dropout,
});

async function checkpointNetwork(dropout = 0): Promise<Network> {
  const { paths, settings } = await findSources(fixture("micro-stage4"));
  const unmerged = await openUnmerged({ sources: paths, ...(settings && { settings }) });
  const network = await openNetwork(fromCheckpoint(unmerged), {
    ...regime(dropout),
    lora: { ...unmerged.lora!, dropout },
  });
  await unmerged.close();
  return network;
}

/** Loss and gradients of a batch in parts of so many rows. */
async function stepInParts(
  network: Network,
  size: number,
  { dropout, ...given }: Partial<StepOptions> & { dropout?: boolean } = {},
) {
  const stepper = await openStepper(network, { ...options, ...given });
  const scale = 1 / batchOf(rows).targets;
  let loss = 0;
  const sum: Gradients = new Map();
  for (let at = 0; at < rows.length; at += size) {
    const place = { seed: 7, step: 3, part: at };
    const part = await stepper.run(
      batchOf(rows.slice(at, at + size)),
      scale,
      dropout ? place : undefined,
    );
    loss += part.loss;
    for (const [name, values] of part.gradients) {
      const before = sum.get(name);
      sum.set(name, before ? before.map((value, i) => value + values[i]!) : values);
    }
  }
  await stepper.close();
  return { loss, gradients: sum };
}

function farthest(got: Gradients, want: Gradients): number {
  expect([...got.keys()].toSorted()).toEqual([...want.keys()].toSorted());
  return Math.max(
    ...Array.from(want, ([name, values]) => {
      const difference = values.map((value, i) => value - got.get(name)![i]!);
      return Math.hypot(...difference) / Math.hypot(...values);
    }),
  );
}

describe("a step of training", () => {
  it.each([1, 2, 3])("is the sum of its parts, of %i rows each", async (size) => {
    const network = await checkpointNetwork();
    const whole = await stepInParts(network, rows.length);
    const parts = await stepInParts(network, size);
    expect(Math.abs(parts.loss - whole.loss)).toBeLessThan(1e-6 * whole.loss);
    expect(farthest(parts.gradients, whole.gradients)).toBeLessThan(3e-6);
  });

  it("gives the same bits whether the way back computes again or was left everything", async () => {
    const network = await checkpointNetwork(0.1);
    const again = await stepInParts(network, 2, { dropout: true });
    const kept = await stepInParts(network, 2, { dropout: true, recomputes: false });
    expect(kept.loss).toBe(again.loss);
    expect(kept.gradients).toEqual(again.gradients);
  });

  it("computes nothing again on the way back that no gradient is made of", async () => {
    const { layers } = await checkpointNetwork(0.1);
    const { graph, trained } = layers[0]!;
    const wanted = ["hidden", ...Object.keys(trained)];
    const { backward } = differentiate(graph, "output", wanted, { recomputes: true });
    const products = backward.nodes.filter(({ op }) => op === "MatMul").map(({ name }) => name);
    // What the MLP gives is passed on and read by nothing; what it is made of is read.
    expect(products.filter((name) => name.startsWith("/layer/fc"))).toEqual(["/layer/fc1/MatMul"]);
  });

  it("drops out another share at each step, and none where nothing says when", async () => {
    const network = await checkpointNetwork(0.1);
    const [none, some] = [
      await stepInParts(network, 4),
      await stepInParts(network, 4, { dropout: true }),
    ];
    const plain = await stepInParts(await checkpointNetwork(), 4);
    expect(none.loss).toBe(plain.loss);
    expect(Math.abs(some.loss - none.loss)).toBeGreaterThan(1e-3);
  });

  it("leaves out what a batch without pictures does not reach", async () => {
    const stepper = await openStepper(await checkpointNetwork(), options);
    const { gradients } = await stepper.run(batchOf([rows[1]!]), 0.1);
    await stepper.close();
    expect([...gradients.keys()].filter((name) => name.startsWith("mapping"))).toEqual([]);
    expect(gradients.size).toBeGreaterThan(10);
  });
});

describe("beside a converted model", () => {
  it("begins where the model is: new LoRA changes nothing", async () => {
    const source = await fromModel(await filesOf("fp32"));
    const merged = await openNetwork(source, regime(0));
    const whole = await checkpointNetwork();
    const [got, want] = [await stepInParts(merged, 4), await stepInParts(whole, 4)];
    expect(Math.abs(got.loss - want.loss)).toBeLessThan(1e-5);
  });

  it.each(["int8", "int4"])(
    "passes gradients through %s as through what it stands for",
    async (level) => {
      const files = await filesOf(level);
      const quantized = await openNetwork(await fromModel(files), regime(0));
      const floats = await openNetwork(await dequantized(files), regime(0));
      const [got, want] = [await stepInParts(quantized, 4), await stepInParts(floats, 4)];
      expect(Math.abs(got.loss - want.loss)).toBeLessThan(1e-5);
      // B is zero at first, so A has no gradient.
      for (const name of want.gradients.keys())
        if (name.endsWith("loraA")) for (const { gradients } of [got, want]) gradients.delete(name);
      expect(farthest(got.gradients, want.gradients)).toBeLessThan(1e-5);
    },
  );

  it("keeps frozen matrices in half where it is told to", async () => {
    const source = await fromModel(await filesOf("fp32"));
    const wide = await openNetwork(source, regime(0));
    const half = await openNetwork(source, regime(0), { storage: "float16" });
    const bytes = ({ layers }: Network) =>
      Object.values(layers[0]!.frozen).reduce((sum, { data }) => sum + data.byteLength, 0);
    expect(bytes(half) / bytes(wide)).toBeLessThan(0.52);
    const [got, want] = [await stepInParts(half, 4), await stepInParts(wide, 4)];
    expect(Math.abs(got.loss - want.loss)).toBeLessThan(2e-2);
  });
});

async function filesOf(level: string) {
  const manifest = await readManifest(model);
  return { folder: model, manifest, files: graphsOf(manifest, level) };
}

/** The same weights as floats. */
async function dequantized(files: Awaited<ReturnType<typeof filesOf>>): Promise<WeightSource> {
  const source = await fromModel(files);
  const phi = await floatsOf(await readModel(join(model, files.files.phi)));
  return {
    ...source,
    fill: (graph, component) =>
      component === "phi" ? withStoredWeights(graph, phi) : source.fill(graph, component),
  };
}

async function floatsOf(graph: Graph): Promise<Graph> {
  const initializers = new Map(graph.initializers);
  const nodes = graph.nodes.filter(({ op }) => op !== "MatMulNBits");
  for (const { op, inputs, attributes } of graph.nodes) {
    if (op !== "MatMulNBits") continue;
    const [, codesName, scalesName] = inputs as [string, string, string];
    const { K, N, bits, block_size: size } = attributes as Record<string, number>;
    const codes = await initializers.get(codesName)!.load();
    const scales = toFloat32(await initializers.get(scalesName)!.load(), "float32");
    const blocks = Math.ceil(K! / size!);
    const values = new Float32Array(N! * K!);
    for (let row = 0; row < N!; row++)
      for (let k = 0; k < K!; k++) {
        const at = (row * blocks + Math.floor(k / size!)) * size! + (k % size!);
        const code = bits === 8 ? codes[at]! : (codes[at >> 1]! >> (4 * (at & 1))) & 15;
        values[row * K! + k] =
          Math.fround(code - 2 ** (bits! - 1)) * scales[row * blocks + Math.floor(k / size!)]!;
      }
    const name = codesName.replace(/codes$/, "weight");
    const turned = transpose(values, N!, K!);
    const weight: Initializer = {
      name,
      dtype: "float32",
      shape: [K!, N!],
      load: async () => new Uint8Array(turned.buffer),
    };
    initializers.set(name, weight);
  }
  return { ...graph, nodes, initializers };
}
