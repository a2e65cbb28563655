/** Adapters that nobody trained: every kind of weight that one can hold, and none of them zero. */
import { addAdapter } from "../../lib/convert/src/index.ts";
import { readManifest } from "../../lib/model/src/readManifest.ts";
import type { Weight } from "../../lib/network/src/weights.ts";
import { seeded } from "../../lib/runtime/src/decoding/rng.ts";

/** What of a model it changes. */
export interface RandomAdapter {
  seed: number;
  rank?: number;
  mapping?: boolean;
  norms?: boolean;
}

/** LoRA, and what else is asked for, of random numbers that change answers and leave them sane. */
export async function randomWeights(
  folder: string,
  { seed, rank = 4, mapping = false, norms = false }: RandomAdapter,
): Promise<Weight[]> {
  const { config } = await readManifest(folder);
  const { width, numLayers, headDim } = config.phi;
  const next = seeded(seed);
  const weight = (name: string, shape: number[], spread: number, middle = 0): Weight => {
    const values = Float32Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      () => middle + spread * (2 * next() - 1),
    );
    return { name, shape, load: async () => values };
  };
  const weights: Weight[] = [];
  for (let layer = 0; layer < numLayers; layer++) {
    const place = `phi.layers.${layer}`;
    for (const [part, out] of [
      ["qkv", 3 * width],
      ["dense", width],
    ] as const) {
      weights.push(weight(`${place}.attention.${part}.loraA`, [rank, width], width ** -0.5));
      weights.push(weight(`${place}.attention.${part}.loraB`, [out, rank], 0.3));
    }
    if (!norms) continue;
    weights.push(weight(`${place}.norm.weight`, [width], 0.2, 1));
    weights.push(weight(`${place}.postNorm.weight`, [width], 0.2, 1));
    weights.push(weight(`${place}.attention.queryNorm.weight`, [headDim], 0.2, 1));
    weights.push(weight(`${place}.attention.keyNorm.bias`, [headDim], 0.1));
  }
  if (norms) weights.push(weight("phi.norm.weight", [width], 0.2, 1));
  if (mapping) {
    const { mapping: maps, qformer } = config;
    weights.push(weight("mapping.fc1.weight", [maps.width, qformer.width], qformer.width ** -0.5));
    weights.push(weight("mapping.fc1.bias", [maps.width], 0.1));
    weights.push(weight("mapping.fc2.weight", [width, maps.width], maps.width ** -0.5));
    weights.push(weight("mapping.fc2.bias", [width], 0.1));
  }
  return weights;
}

/** Puts one beside a model. */
export async function addRandomAdapter(
  folder: string,
  name: string,
  options: RandomAdapter,
): Promise<void> {
  const weights = await randomWeights(folder, options);
  const source = { file: "random", bytes: 0 };
  await addAdapter(folder, { weights, alpha: 8 }, { name, source });
}
