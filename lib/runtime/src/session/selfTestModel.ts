/** The small model of the self-test, with made-up weights, on the processor and on a device. */
import type { Graph } from "@tinygptv/graph";
import type { Session } from "@tinygptv/graph/session";
import { elementCount } from "@tinygptv/model";
import type { Component, ModelConfig } from "@tinygptv/model";
import type { Weights } from "@tinygptv/network";
import { seeded } from "../decoding/rng.ts";
import type { ForwardRow, LanguageModel } from "../decoding/sequence.ts";
import type { Device } from "./device.ts";
import { deviceGraph } from "./deviceGraphs.ts";
import { devicePasses, type DeviceForm } from "./devicePass.ts";
import { hostPasses } from "./hostPass.ts";
import { createLanguageModel } from "./languageModel.ts";
import { findRowCounts } from "./rowCounts.ts";

/** Opens a graph on the processor. */
export type OpenOnProcessor = (graph: Graph) => Promise<Session>;

/** Long enough for the kernels that long prompts meet: more than 32 positions, heads of 80 as Phi-2's. */
export const config: ModelConfig = {
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

const embeddings = {
  lookUp: (tokens: readonly number[], out: Float32Array, offset: number) => {
    const { width } = config.phi;
    tokens.forEach((token, i) => {
      for (let j = 0; j < width; j++) out[offset + i * width + j] = Math.sin(token * 31 + j * 0.7);
    });
  },
  close: () => {},
};

/** Logits of the steps, on the processor. */
export async function stepsOnProcessor(
  stored: Record<Component, Graph>,
  onProcessor: OpenOnProcessor,
): Promise<Float32Array[]> {
  const session = await onProcessor(stored.phi);
  try {
    const counts = await findRowCounts(session, config.phi);
    const passes = hostPasses(session, embeddings, config.phi, counts);
    return await stepsOf(createLanguageModel(passes, config.phi));
  } finally {
    await session.release();
  }
}

/** The same on a device, in one of its forms. */
export async function stepsOnDevice(
  stored: Record<Component, Graph>,
  device: Device,
  form: DeviceForm,
): Promise<Float32Array[]> {
  const session = await device.open(deviceGraph("phi", stored.phi, config, form));
  try {
    const passes = await devicePasses(device, session, embeddings, config.phi, form);
    const logits = await stepsOf(createLanguageModel(passes, config.phi));
    await passes.close();
    return logits;
  } finally {
    await session.release();
  }
}

/** Sums over the layers of a model can grow to where half precision ends. */
const large = 1e5;

/** A long prompt, a short one after it, single positions together, a fork and a return: logits of each. */
async function stepsOf(model: LanguageModel): Promise<Float32Array[]> {
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

/** As trained ones are: small and of no particular sign; norms around 1. The same whenever they are asked for. */
export function madeUpWeights(): Weights {
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
