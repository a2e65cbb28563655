import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { evaVit } from "@tinygptv/network";
import { openSession } from "../../../runtime/src/session/runtime.ts";
import { config, loudWeights } from "../../../../test/support/loudWeights.ts";
import { findOutliers } from "./outliers.ts";
import { probePictures, visionSample } from "./samples.ts";

async function outliersWith(loud: string): Promise<Set<string>> {
  const scratch = await mkdtemp(join(tmpdir(), "outliers-"));
  try {
    const samples = probePictures(config).map((picture) => visionSample(picture, config));
    const options = {
      openSession,
      scratch,
      output: "vision_states",
      onBytes: () => {},
    };
    return await findOutliers(evaVit(loudWeights(loud), config), samples, options);
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
