import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { evaVit } from "../models/evaVit.ts";
import type { Weights } from "../models/weights.ts";
import { openSession } from "../../../runtime/src/session/runtime.ts";
import { findOutliers } from "./outliers.ts";
import { probePictures, visionSample } from "./samples.ts";

const config = {
  imageSize: 28,
  patchSize: 14,
  width: 64,
  depth: 3,
  numHeads: 4,
  mlpWidth: 128,
  normEps: 1e-6,
  finalNormEps: 1e-5,
};

/** Random weights; the norm before one layer makes three channels fifty times as large as the others. */
function weights(loud: string): Weights {
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

async function outliersWith(loud: string): Promise<Set<string>> {
  const scratch = await mkdtemp(join(tmpdir(), "outliers-"));
  try {
    const samples = probePictures(config).map((picture) => visionSample(picture, config));
    const options = {
      openSession,
      scratch,
      width: config.width,
      output: "vision_states",
      onBytes: () => {},
    };
    return await findOutliers(evaVit(weights(loud), config), samples, options);
  } finally {
    await rm(scratch, { recursive: true });
  }
}

it("finds the one layer whose inputs have outlier channels", async () => {
  expect(await outliersWith("vision.blocks.1.norm2.weight")).toEqual(
    new Set(["vision.blocks.1.mlp.fc1"]),
  );
});

it("finds none in an even network", async () => {
  expect(await outliersWith("none")).toEqual(new Set());
});
