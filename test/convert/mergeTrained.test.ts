/** What was trained, merged into a converted model, against the same weights converted with it. */
import { copyFile, mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convert, mergeTrained } from "../../lib/convert/src/index.ts";
import { findSources } from "../../lib/convert/src/sources.ts";
import type { Manifest } from "../../lib/model/src/manifest.ts";
import { initialMoments } from "../../lib/train/src/adamw.ts";
import { readAdapter, writeAdapter } from "../../lib/train/src/results/peft.ts";
import { readStageFile, writeStageFile } from "../../lib/train/src/results/stageFile.ts";
import type { Parameter } from "../../lib/train/src/parameter.ts";
import { openSession } from "../../lib/runtime/src/session/runtime.ts";
import { fixture, temporaryFolder } from "../support/converted.ts";
import { expectSound } from "../support/expectSound.ts";

const numHeads = 4;
const levels = ["fp32", "fp16", "int8"];
const stageFile = fixture("micro-stage4", "TinyGPT-V_for_Stage4.pth");

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let trained: Parameter[];
/** Converted with what was trained. */
let whole: Manifest;
/** Converted with everything that was trained doubled, and no LoRA. */
let base: string;

const convertWith = async (checkpoint: string, out: string) => {
  const { paths, settings } = await findSources(fixture("micro-stage4"), { checkpoint });
  return convert({ sources: paths, settings: settings!, out, name: "tiny", levels, openSession });
};

beforeAll(async () => {
  folder = await temporaryFolder();
  trained = await readStageFile(stageFile, numHeads);
  whole = await convertWith(stageFile, join(folder.path, "whole"));
  const others = trained
    .filter(({ name }) => !/lora[AB]$/.test(name))
    .map((parameter) => ({ ...parameter, values: parameter.values.map((value) => 2 * value) }));
  const untrained = await writeStageFile(folder.path, {
    parameters: others,
    moments: initialMoments(others),
    numHeads,
    rate: 0,
    weightDecay: 0,
    config: {},
    epoch: 0,
  });
  base = join(folder.path, "base");
  await convertWith(untrained, base);
});
afterAll(() => folder.remove());

const asWeights = (parameters: readonly Parameter[]) =>
  parameters.map(({ name, shape, values }) => ({ name, shape, load: async () => values }));

it("gives, through an adapter folder, the very files of the conversion in every level", async () => {
  const adapterFolder = join(folder.path, "adapter");
  await writeAdapter(
    adapterFolder,
    { parameters: trained, rank: 4, alpha: 16, dropout: 0 },
    numHeads,
  );
  const { parameters, alpha } = await readAdapter(adapterFolder, numHeads);
  const out = join(folder.path, "merged");
  const source = { file: "adapter_model.safetensors", bytes: 12 };
  await mergeTrained(
    base,
    out,
    { weights: asWeights(parameters), alpha },
    { name: "tiny-tuned", source, openSession },
  );
  const merged = await expectSound(out);
  expect(byPath(merged.files)).toEqual(byPath(whole.files));
  expect(merged.levels).toEqual(whole.levels);
  expect(merged.defaultLevel).toBe("fp32");
  expect(merged.name).toBe("tiny-tuned");
  expect(merged.sources.at(-1)).toEqual({ role: "trained", ...source });
  expect((await stat(join(base, "manifest.json"))).isFile()).toBe(true);
});

it("our stage file is converted to the very files of the published one", async () => {
  const path = await writeStageFile(folder.path, {
    parameters: trained,
    moments: initialMoments(trained),
    numHeads,
    rate: 0,
    weightDecay: 0,
    config: {},
    epoch: 1,
  });
  // Settings say rank and alpha of a file by its name.
  const renamed = join(folder.path, "ours", "TinyGPT-V_for_Stage4.pth");
  await mkdir(join(folder.path, "ours"));
  await copyFile(path, renamed);
  const manifest = await convertWith(renamed, join(folder.path, "again"));
  expect(byPath(manifest.files)).toEqual(byPath(whole.files));
});

describe("what does not fit is refused by name, and nothing is left", () => {
  const merge = (weights: readonly Parameter[], options: { levels?: string[] } = {}) =>
    mergeTrained(
      base,
      join(folder.path, "refused"),
      { weights: asWeights(weights), alpha: 16 },
      { name: "tiny", source: { file: "x", bytes: 1 }, openSession, ...options },
    );
  const weight = (name: string, shape: number[]): Parameter => ({
    name,
    shape,
    values: new Float32Array(shape.reduce((a, b) => a * b, 1)),
  });
  it.each([
    ["a weight of another model", [weight("phi.layers.7.norm.weight", [80])], "phi.layers.7.norm"],
    ["another width", [weight("phi.norm.weight", [96])], "phi.norm.weight: want [80], got [96]"],
    [
      "a matrix lying the other way",
      [weight("mapping.fc2.weight", [40, 80])],
      "mapping.fc2.weight: want [80,40], got [40,80]",
    ],
    [
      "half a LoRA",
      [weight("phi.layers.0.attention.dense.loraB", [80, 4])],
      "want phi.layers.0.attention.dense.loraA beside it",
    ],
    [
      "LoRA of another width",
      [
        weight("phi.layers.0.attention.dense.loraA", [4, 96]),
        weight("phi.layers.0.attention.dense.loraB", [80, 4]),
      ],
      "phi.layers.0.attention.dense.loraA: want [4,80], got [4,96]",
    ],
  ])("%s", async (_, weights, message) => {
    await expect(merge(weights)).rejects.toThrow(message);
    await expect(stat(join(folder.path, "refused"))).rejects.toThrow("ENOENT");
  });

  it("a level that cannot be made", async () => {
    await expect(merge([], { levels: ["int4-gptq"] })).rejects.toThrow(
      "level int4-gptq: want questions about pictures to calibrate with",
    );
  });
});

it("leaves the model it started from as it was", async () => {
  const { files } = JSON.parse(await readFile(join(base, "manifest.json"), "utf8")) as Manifest;
  expect(files.length).toBeGreaterThan(0);
  await expectSound(base);
});

const byPath = (files: Manifest["files"]) =>
  Object.fromEntries(files.map(({ path, sha256 }) => [path, sha256]));
