import type { Weights } from "../../lib/network/src/index.ts";

/** Dimensions of a small vision transformer. */
export const config = {
  imageSize: 28,
  patchSize: 14,
  width: 64,
  depth: 3,
  numHeads: 4,
  mlpWidth: 128,
  normEps: 1e-6,
  finalNormEps: 1e-5,
};

/** Its weights, random; the norm before one layer makes three channels fifty times as large as the others. */
export function loudWeights(loud: string): Weights {
  let state = 5;
  const random = () => (state = (state * 16807) % 2147483647) / 2147483647 - 0.5;
  return (name, shape) => ({
    name,
    shape,
    load: async () => {
      const isNorm = /norm\d?\.weight$/.test(name);
      const values = Float32Array.from(
        { length: shape.reduce((a, b) => a * b, 1) },
        () => (isNorm ? 1 : 0) + 0.2 * random(),
      );
      if (name === loud) for (const channel of [3, 17, 40]) values[channel]! *= 50;
      // What reads the loud channels hardly weighs them, as trained layers do.
      if (loud.startsWith("vision.blocks.1") && name === "vision.blocks.1.mlp.fc1.weight")
        for (let row = 0; row < 128; row++)
          for (const channel of [3, 17, 40]) values[row * 64 + channel]! /= 50;
      return values;
    },
  });
}
