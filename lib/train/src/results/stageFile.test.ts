import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bytesInMemory } from "../../../convert/src/checkpoint/byteSource.ts";
import { openWeights } from "../../../convert/src/checkpoint/folder.ts";
import { unpickle } from "../../../convert/src/checkpoint/pickle.ts";
import { torchNames, TorchTensor } from "../../../convert/src/checkpoint/torchNames.ts";
import { openZip } from "../../../convert/src/checkpoint/zip.ts";
import { initialMoments } from "../adamw.ts";
import { readStageFile, writeStageFile, type StageResult } from "./stageFile.ts";

const fixtures = new URL("../../../../test/fixtures/", import.meta.url).pathname;
const sets = [
  { file: `${fixtures}micro-stage4/TinyGPT-V_for_Stage4.pth`, numHeads: 4, epoch: 49 },
  { file: `${fixtures}micro-stage3/TinyGPT-V_for_Stage3.pth`, numHeads: 6, epoch: 4 },
  // Without LoRA, so under other keys.
  { file: `${fixtures}micro-stage3/TinyGPT-V_for_Stage1.pth`, numHeads: 6, epoch: 0 },
];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tinygptv-stage-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function resultOf({ file, numHeads, epoch }: (typeof sets)[number]): Promise<StageResult> {
  const parameters = await readStageFile(file, numHeads);
  const moments = initialMoments(parameters);
  for (const [i, each] of [...moments.values()].entries()) {
    each.step = 5 + i;
    each.first.forEach((_, at) => (each.first[at] = i + at / 7));
    each.second.forEach((_, at) => (each.second[at] = i * at));
  }
  const lossScale = { scale: 65_536, cleanSteps: 17 };
  return {
    parameters,
    numHeads,
    moments,
    rate: 1e-4,
    weightDecay: 0.05,
    lossScale,
    config: {
      run: { init_lr: 1e-5, max_epoch: 50, train_splits: ["train"], resume: undefined },
      model: {},
    },
    epoch,
  };
}

describe.each(sets)("the file of epoch $epoch, read and written", (set) => {
  const { file, epoch } = set;

  test("has the same weights under the same keys, bit for bit", async () => {
    const path = await writeStageFile(folder, await resultOf(set));
    expect(basename(path)).toBe(`checkpoint_${epoch}.pth`);
    const [theirs, ours] = [await openWeights(file), await openWeights(path)];
    expect([...ours.tensors.keys()]).toEqual([...theirs.tensors.keys()]);
    for (const [key, { shape, dtype }] of theirs.tensors) {
      expect(ours.tensors.get(key)).toMatchObject({ shape, dtype });
      expect(await ours.read(key)).toEqual(await theirs.read(key));
    }
    await Promise.all([ours.close(), theirs.close()]);
  });

  test("has the structure of the published one: entries, groups, shapes, imports", async () => {
    const path = await writeStageFile(folder, await resultOf(set));
    const [theirs, ours] = [await pickleOf(file), await pickleOf(path)];
    const { config, ...rest } = skeleton(ours.root) as Record<string, unknown>;
    const { config: _, ...wanted } = skeleton(theirs.root) as Record<string, unknown>;
    expect(rest).toEqual(wanted);
    expect(config).toEqual({
      run: { init_lr: 1e-5, max_epoch: 50, train_splits: ["train"] },
      model: {},
    });
    expect(ours.imports).toEqual(theirs.imports);
    expect(ours.bytes.subarray(0, 2)).toEqual(Buffer.from([0x80, 2]));
  });
});

test("moments are in the order of published rows, as the weights are", async () => {
  const result = await resultOf(sets[0]!);
  const name = "phi.layers.0.attention.qkv.loraB";
  const weights = result.parameters.find((each) => each.name === name)!;
  // Moments that equal the weights must be stored as the weights are.
  result.moments.get(name)!.first.set(weights.values);
  const path = await writeStageFile(folder, result);
  const { root, zip, prefix } = await pickleOf(path);
  const state = root.get("optimizer").get("state")!;
  const storage = (tensor: TorchTensor) => zip.read(`${prefix}data/${tensor.storage.key}`);
  const key = "llama_model.base_model.model.model.layers.0.self_attn.query_key_value.lora_B.weight";
  expect(await storage(state.get(1)!.get("exp_avg")!)).toEqual(
    await storage(root.get("model").get(key)!),
  );
});

test("without loss scale there is none, and a tensor that never took a step has no state", async () => {
  const { lossScale: _, ...result } = await resultOf(sets[0]!);
  result.moments.get("mapping.fc2.weight")!.step = 0;
  const { root } = await pickleOf(await writeStageFile(folder, result));
  expect(root.get("scaler")).toBeNull();
  expect(root.get("optimizer").get("state")!.size).toBe(result.parameters.length - 1);
});

test("what is no stage file, or has no name in one, is refused", async () => {
  await expect(readStageFile(`${fixtures}micro-stage4/eva_vit_g.pth`, 4)).rejects.toThrow(
    "want a TinyGPT-V stage file, got a vision transformer",
  );
  const result = await resultOf(sets[0]!);
  const parameters = [{ name: "phi.extra.weight", shape: [1], values: new Float32Array(1) }];
  await expect(writeStageFile(folder, { ...result, parameters })).rejects.toThrow(
    "phi.extra.weight: want a tensor that stage files have a name for",
  );
});

/** What a stage file says of tensors. */
interface SavedRoot {
  get(entry: "model"): Map<string, TorchTensor>;
  get(entry: "optimizer"): Map<string, Map<number, Map<string, TorchTensor>>>;
  get(entry: "scaler"): unknown;
}

/** The pickle of a torch file: what it says, what it imports. */
async function pickleOf(path: string) {
  const zip = await openZip(bytesInMemory(path, await readFile(path)));
  const name = [...zip.sizes.keys()].find((each) => each.endsWith("/data.pkl"))!;
  const bytes = Buffer.from(await zip.read(name));
  const imports = bytes.toString("latin1").matchAll(/c((?:torch|collections)[\w.]*\n\w+)\n/g);
  return {
    bytes,
    zip,
    prefix: name.slice(0, -"data.pkl".length),
    imports: [...new Set(Array.from(imports, ([, found]) => found))].toSorted(),
    root: unpickle(path, name, bytes, torchNames) as SavedRoot,
  };
}

/** A value with shapes for tensors. */
function skeleton(value: unknown): unknown {
  if (value instanceof TorchTensor) return [value.storage.dtype, value.shape, value.strides];
  if (Array.isArray(value)) return value.map(skeleton);
  if (!(value instanceof Map)) return value;
  return Object.fromEntries([...value].map(([key, each]) => [String(key), skeleton(each)]));
}
