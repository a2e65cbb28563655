import { fileURLToPath } from "node:url";
import { readManifest } from "@tinygptv/model/disk";
import { expect, it } from "vitest";
import { memoryPlan, totalOf } from "./memoryPlan.ts";
import { listModels } from "./openModel.ts";

const folder = fileURLToPath(new URL("../../../../models/nano/converted", import.meta.url));

it("is what is said of each level, and follows the cache's size", async () => {
  const manifest = await readManifest(folder);
  for (const cacheBytes of [undefined, 10_000_000, 500_000_000])
    for (const { level, memoryBytes } of await listModels(folder, { cacheBytes }))
      expect(memoryBytes).toBe(totalOf(memoryPlan(manifest, level, { cacheBytes })));
  const { cache, ...others } = memoryPlan(manifest, manifest.defaultLevel, { cacheBytes: 7 });
  expect(cache).toBe(7);
  expect(others).toEqual(expect.objectContaining({ weights: expect.any(Number) }));
});

it("has room for a whole context and eight short answers", async () => {
  const manifest = await readManifest(folder);
  const { phi } = manifest.config;
  const full = {
    ...phi,
    numLayers: 32,
    width: 2560,
    numHeads: 32,
    headDim: 80,
    contextLength: 2048,
  };
  const config = { ...manifest.config, phi: full };
  const { cache } = memoryPlan({ ...manifest, config }, manifest.defaultLevel);
  expect(cache).toBe((2048 + 8 * 256) * 8 * 32 * 2560);
});
