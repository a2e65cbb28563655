/** What a manifest says of the model it lies in. */
import { stat } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Manifest } from "../../lib/model/src/manifest.ts";
import { convert } from "../../lib/convert/src/index.ts";
import { findSources } from "../../lib/convert/src/sources.ts";
import { fixture, temporaryFolder } from "../support/converted.ts";
import { expectSound } from "../support/expectSound.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let manifest: Manifest;
let progress: { done: number; total: number }[];
beforeAll(async () => {
  folder = await temporaryFolder();
  const { paths: sources, settings } = await findSources(fixture("micro-stage4"));
  const out = `${folder.path}/model`;
  progress = [];
  await convert(
    { sources, settings: settings!, out, name: "tiny" },
    { onProgress: ({ done, total }) => progress.push({ done, total }) },
  );
  manifest = await expectSound(out);
});
afterAll(() => folder.remove());

it("lists every graph of every level, the embeddings and the tokenizer", () => {
  const listed = manifest.files.map(({ path }) => path);
  for (const graphs of Object.values(manifest.levels))
    for (const graph of Object.values(graphs)) {
      expect(listed).toContain(graph);
      expect(listed).toContain(`${graph}.data`);
    }
  expect(listed).toContain(manifest.embeddings.file);
  expect(listed).toContain(`${manifest.tokenizer}/tokenizer.json`);
});

it("lists the files it was made from, shard by shard, with their sizes", async () => {
  const files = [
    ["phi", "phi-2/model-00001-of-00002.safetensors"],
    ["phi", "phi-2/model-00002-of-00002.safetensors"],
    ["vision", "eva_vit_g.pth"],
    ["qformer", "blip2_pretrained_flant5xxl.pth"],
    ["checkpoint", "TinyGPT-V_for_Stage4.pth"],
  ] as const;
  expect(manifest.sources).toEqual(
    await Promise.all(
      files.map(async ([role, path]) => ({
        role,
        file: path.split("/").at(-1),
        bytes: (await stat(fixture("micro-stage4", path))).size,
      })),
    ),
  );
});

it("has the dimensions read off the weights", () => {
  expect(manifest).toMatchObject({
    name: "tiny",
    weights: "fixture",
    config: {
      vision: { imageSize: 112, width: 48, depth: 3, mlpWidth: 209 },
      qformer: { width: 36, numQueryTokens: 8, mlpWidth: 72 },
      mapping: { width: 40 },
      phi: { width: 80, headDim: 20, rotaryDim: 8, vocabSize: 896 },
      tokens: { endOfText: 832, stop: 819 },
    },
  });
});

it("was made in steps that add up", () => {
  const { total } = progress[0]!;
  expect(progress.every((step) => step.total === total)).toBe(true);
  const done = progress.map((step) => step.done);
  expect(done).toEqual(done.toSorted((a, b) => a - b));
  expect(done.at(-1)).toBe(total);
});
