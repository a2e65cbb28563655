/** What `inspect` says of checkpoints that are whole, partial, mixed up or broken. */
import { cp, mkdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { inspect } from "../../lib/convert/src/index.ts";
import { writeTorchZip } from "../support/checkpoint/writeTorchZip.ts";
import { convertFixture, fixture, temporaryFolder } from "../support/converted.ts";
import { readTensors } from "../support/editedSources.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let set: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  set = join(folder.path, "set");
  await cp(fixture("micro-stage4"), set, { recursive: true });
  await rm(join(set, "phi-2-bin"), { recursive: true });
});
afterEach(() => folder.remove());

it("describes every file of a whole set, and the model it would make", async () => {
  const found = await inspect(set);
  expect(found).toMatchObject({
    kind: "checkpoint",
    missing: [],
    problem: undefined,
    config: { phi: { width: 80 } },
    weights: [
      { role: "phi", layout: "fused" },
      { role: "vision", layout: undefined },
      { role: "qformer" },
      { role: "checkpoint", what: "a TinyGPT-V stage file" },
    ],
  });
});

it("names what is missing of a partial set", async () => {
  await rm(join(set, "eva_vit_g.pth"));
  expect(await inspect(set)).toMatchObject({
    missing: ["vision"],
    config: undefined,
    problem: expect.stringContaining("want a vision named like"),
    weights: [{ role: "phi" }, { role: "qformer" }, { role: "checkpoint" }],
  });
});

it("describes the others where one file is damaged", async () => {
  await truncate(join(set, "eva_vit_g.pth"), 1000);
  expect(await inspect(set)).toMatchObject({
    missing: [],
    config: undefined,
    problem: expect.stringContaining("eva_vit_g.pth"),
    weights: [
      { role: "phi" },
      {
        role: undefined,
        what: expect.stringMatching(/^cannot be read: .*eva_vit_g\.pth/),
        tensors: [],
      },
      { role: "qformer" },
      { role: "checkpoint" },
    ],
  });
});

it("tells a file under another one's name", async () => {
  await cp(join(set, "eva_vit_g.pth"), join(set, "blip2_pretrained_flant5xxl.pth"));
  expect(await inspect(set)).toMatchObject({
    problem: expect.stringContaining("want a Q-Former, got a vision transformer"),
    weights: [{}, { role: "vision" }, { role: "vision" }, {}],
  });
});

it("names the shard that is missing", async () => {
  await rm(join(set, "phi-2", "model-00002-of-00002.safetensors"));
  expect(await inspect(set)).toMatchObject({
    problem: expect.stringContaining("model-00002-of-00002.safetensors"),
    weights: [{ what: expect.stringMatching(/^cannot be read: .*model-00002/) }, {}, {}, {}],
  });
});

it("says which of two stage files has to be chosen", async () => {
  await cp(join(set, "TinyGPT-V_for_Stage4.pth"), join(set, "TinyGPT-V_for_Stage3.pth"));
  expect(await inspect(set)).toMatchObject({
    problem: expect.stringContaining("choose with --checkpoint"),
    weights: [{}, {}, {}, { role: "checkpoint" }, { role: "checkpoint" }],
  });
});

it("takes a stage file under the name that training gives it, where there is no other", async () => {
  const [published, own] = ["TinyGPT-V_for_Stage4.pth", "checkpoint_49.pth"];
  await cp(join(set, published), join(set, own));
  const role = "checkpoint";
  const pathsOf = async () => {
    const found = await inspect(set);
    if (found.kind !== "checkpoint") throw new Error(found.kind);
    return found.weights.filter((each) => each.role === role).map(({ path }) => path);
  };
  expect(await pathsOf()).toEqual([join(set, published)]);
  await rm(join(set, published));
  expect(await pathsOf()).toEqual([join(set, own)]);
  expect(await inspect(set)).toMatchObject({ missing: [], problem: undefined });
  await cp(join(set, own), join(set, "checkpoint_3.pth"));
  expect(await inspect(set)).toMatchObject({
    problem: expect.stringContaining(
      "want one checkpoint, got checkpoint_3.pth, checkpoint_49.pth",
    ),
  });
});

it("refuses a tokenizer that the runtime would refuse", async () => {
  const path = join(set, "phi-2", "tokenizer.json");
  const json = JSON.parse(await readFile(path, "utf8"));
  await writeFile(path, JSON.stringify({ ...json, pre_tokenizer: { type: "Whitespace" } }));
  expect(await inspect(set)).toMatchObject({
    config: undefined,
    problem: expect.stringContaining("tokenizer.json: pre_tokenizer"),
  });
});

it("passes over byte order marks", async () => {
  for (const name of ["phi-2/config.json", "phi-2/tokenizer.json", "model.json"]) {
    const path = join(set, name);
    await writeFile(path, `\uFEFF${await readFile(path, "utf8")}`);
  }
  expect(await inspect(set)).toMatchObject({ missing: [], problem: undefined });
});

it("lists the tensors of a single file, known or not", async () => {
  const stage = await inspect(join(set, "TinyGPT-V_for_Stage4.pth"));
  expect(stage).toMatchObject({
    kind: "weights",
    missing: ["phi", "vision", "qformer"],
    weights: { role: "checkpoint" },
  });
  const path = join(folder.path, "other.pth");
  const tensors = await readTensors(join(set, "eva_vit_g.pth"));
  await writeTorchZip(path, new Map([["renamed", tensors.get("cls_token")!]]));
  expect(await inspect(path)).toMatchObject({
    kind: "weights",
    weights: {
      role: undefined,
      what: "none of the published files",
      tensors: [{ name: "renamed", dtype: "float16", shape: [1, 1, 48] }],
    },
  });
});

it.each([
  ["a file that cannot be read", "", 23_711_618, "a broken upload, replaced on 2024-01-19"],
  ["a file", "TinyGPT-V_for_Stage4.pth", 1_805_910_138, "the test version of 2023-12-28"],
])("recognises %s that should not be used by its size", async (_, from, bytes, what) => {
  const path = join(folder.path, "stage4.pth");
  await writeFile(path, from === "" ? "" : await readFile(join(set, from)));
  await truncate(path, bytes);
  await expect(inspect(path)).rejects.toMatchObject({
    code: "checkpoint",
    message: expect.stringContaining(`${what}; TinyGPT-V_for_Stage4.pth has 543654414 bytes now`),
  });
});

it("reads the manifest of a converted model", async () => {
  const model = await convertFixture("micro-stage4", join(folder.path, "model"));
  expect(await inspect(model)).toMatchObject({ kind: "model", manifest: { name: "micro" } });
  await writeFile(join(model, "manifest.json"), "{}");
  await expect(inspect(model)).rejects.toMatchObject({ code: "model" });
});

it.each([
  ["a path where nothing is", async (path: string) => path, "io"],
  ["an empty folder", (path: string) => mkdir(path), "checkpoint"],
  ["an empty file", (path: string) => writeFile(path, ""), "checkpoint"],
  ["text", (path: string) => writeFile(path, "weights"), "checkpoint"],
])("refuses %s", async (_, make, code) => {
  const path = join(folder.path, "made");
  await make(path);
  await expect(inspect(path)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(path),
  });
});
