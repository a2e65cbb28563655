/** What a stage file may hold, and what each of its tensors does to the model. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { convert } from "../../lib/convert/src/index.ts";
import { readModel } from "../../lib/graph/src/modelFile.ts";
import type { Component } from "../../lib/model/src/manifest.ts";
import { toFloat32 } from "../../lib/model/src/tensor/half.ts";
import { writeSafetensors } from "../support/checkpoint/writeSafetensors.ts";
import { fixture, temporaryFolder } from "../support/converted.ts";
import {
  editedSources,
  float32,
  readTensors,
  rename,
  type Edits,
  type EditedSources,
  type Tensors,
} from "../support/editedSources.ts";

const lora = "llama_model.base_model.model.model.layers";
const [width, heads, rank, scale] = [80, 4, 4, 16 / 4];

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let count = 0;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

const edited = (edits: Edits, set?: string, given?: Parameters<typeof editedSources>[3]) =>
  editedSources(join(folder.path, `sources${count++}`), edits, set, given);

async function weightsOf({ sources, settings }: EditedSources) {
  const out = join(folder.path, `model${count++}`);
  const manifest = await convert({ sources, settings, out });
  const graphs = manifest.levels[manifest.defaultLevel]!;
  return async (component: Component, name: string) => {
    const { initializers } = await readModel(join(out, graphs[component]));
    return toFloat32(await initializers.get(name)!.load(), "float32");
  };
}

const isLora = (name: string) => /lora_[AB]/.test(name);

it("reads both spellings of LoRA keys, and the wrapped matrix beside them", async () => {
  const published = await weightsOf(await edited({}));
  const base = await readTensors(fixture("micro-stage4", "phi-2"));
  const spelled = await weightsOf(
    await edited({
      checkpoint: (tensors) => {
        rename(tensors, (name) => name.replace(/(lora_[AB])\.weight/, "$1.default.weight"));
        for (const part of ["query_key_value.base_layer.weight", "dense.base_layer.bias"]) {
          const key = `model.layers.1.self_attn.${part.replace("base_layer.", "")}`;
          tensors.set(`${lora}.1.self_attn.${part}`, base.get(key)!);
        }
      },
    }),
  );
  for (const name of ["qkv.weight", "dense.weight", "dense.bias"]) {
    const weight = `phi.layers.1.attention.${name}`;
    expect(await spelled("phi", weight)).toEqual(await published("phi", weight));
  }
});

it("merges base + alpha / rank · B·A into the matrices, B in the order of the rows it belongs to", async () => {
  const stage = await readTensors(fixture("micro-stage4", "TinyGPT-V_for_Stage4.pth"));
  const without = await weightsOf(
    await edited({
      checkpoint: (tensors) => rename(tensors, (name) => (isLora(name) ? undefined : name)),
      settings: (settings) => {
        settings.stages = [{ file: "TinyGPT-V_for_Stage4.pth", lora_r: 0, lora_alpha: null }];
      },
    }),
  );
  const merged = await weightsOf(await edited({}));
  const name = "phi.layers.2.attention.qkv.weight"; // stored (in, out)
  const [before, after] = [await without("phi", name), await merged("phi", name)];
  const a = floats(stage, `${lora}.2.self_attn.query_key_value.lora_A.weight`);
  const b = floats(stage, `${lora}.2.self_attn.query_key_value.lora_B.weight`);
  const headDim = width / heads;
  let largest = 0;
  for (let row = 0; row < 3 * width; row++) {
    const [j, h, i] = [Math.floor(row / width), Math.floor((row % width) / headDim), row % headDim];
    const stored = (3 * h + j) * headDim + i;
    for (let column = 0; column < width; column++) {
      let product = 0;
      for (let r = 0; r < rank; r++) product += b[stored * rank + r]! * a[r * width + column]!;
      const at = column * 3 * width + row;
      largest = Math.max(largest, Math.abs(after[at]! - before[at]! - scale * product));
    }
  }
  expect(largest).toBeLessThan(1e-6);
  expect(after).not.toEqual(before);
});

it("reads a stage file without LoRA, whose keys have the short prefix", async () => {
  const stage1 = fixture("micro-stage3", "TinyGPT-V_for_Stage1.pth");
  const weights = await weightsOf(await edited({}, "micro-stage3", { checkpoint: stage1 }));
  const stage = await readTensors(stage1);
  expect(await weights("phi", "phi.layers.1.postNorm.weight")).toEqual(
    floats(stage, "llama_model.model.layers.1.post_layernorm.weight"),
  );
});

it.each([
  ["DistributedDataParallel", "module.", ""],
  ["torch.compile", "_orig_mod.", ""],
  ["a trainer", "model.", ""],
  ["a trainer around torch.compile around DistributedDataParallel", "model._orig_mod.module.", ""],
  ["torch.compile of the language model alone", "", "_orig_mod."],
  ["FSDP, and checkpointing inside", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module."],
])("reads files saved by %s", async (_, outer, inner) => {
  const wrap = (tensors: Tensors) =>
    rename(tensors, (name) => outer + name.replace(/^(llama_model\.|Qformer\.)/, `$1${inner}`));
  const published = await weightsOf(await edited({}));
  const wrapped = await weightsOf(
    await edited({ checkpoint: wrap, qformer: wrap, vision: wrap, phi: wrap }),
  );
  for (const [component, weight] of [
    ["phi", "phi.layers.1.attention.qkv.weight"],
    ["phi", "phi.head.bias"],
    ["mapping", "mapping.fc1.weight"],
    ["qformer", "qformer.layers.1.mlp.fc1.weight"],
    ["vision", "vision.blocks.1.norm1.bias"],
  ] as const)
    expect(await wrapped(component, weight)).toEqual(await published(component, weight));
});

const overrides: [key: string, shape: number[], component: Component, name: string][] = [
  [
    "Qformer.bert.encoder.layer.1.attention.self.query.bias",
    [36],
    "qformer",
    "qformer.layers.1.attention.query.bias",
  ],
  ["query_tokens", [1, 8, 36], "qformer", "qformer.queryTokens"],
  ["ln_vision.weight", [48], "vision", "vision.norm.weight"],
  ["visual_encoder.blocks.1.norm1.bias", [48], "vision", "vision.blocks.1.norm1.bias"],
  [`${lora}.0.mlp.fc1.bias`, [320], "phi", "phi.layers.0.mlp.fc1.bias"],
  ["llama_model.base_model.model.lm_head.bias", [896], "phi", "phi.head.bias"],
];
it.each(overrides)("lets a stage file override %s", async (key, shape, component, name) => {
  const value = float32(shape, (i) => i / 7);
  const weights = await weightsOf(
    await edited({ checkpoint: (tensors) => tensors.set(key, value) }),
  );
  expect(await weights(component, name)).toEqual(new Float32Array(value.data.buffer));
});

it("lets a stage file override the token embeddings, kept in float32 then", async () => {
  const value = float32([896, width], (i) => i / 7);
  const key = "llama_model.base_model.model.model.embed_tokens.weight";
  const { sources, settings } = await edited({ checkpoint: (all) => all.set(key, value) });
  const out = join(folder.path, "embeddings");
  const { embeddings, files } = await convert({ sources, settings, out });
  expect(embeddings.dtype).toBe("float32");
  expect(files.find(({ path }) => path === embeddings.file)).toMatchObject({
    bytes: value.data.length,
  });
});

it("lets a fused matrix override separate ones of the folder", async () => {
  const bias = float32([3 * 96], (i) => i);
  const weights = await weightsOf(
    await edited(
      {
        checkpoint: (all) => all.set(`${lora}.0.self_attn.query_key_value.bias`, bias),
      },
      "micro-stage3",
      { checkpoint: fixture("micro-stage3", "TinyGPT-V_for_Stage3.pth") },
    ),
  );
  const qkv = await weights("phi", "phi.layers.0.attention.qkv.bias");
  // Six heads of 16: the second head's queries follow the first head's q, k and v.
  expect([...qkv.subarray(15, 17), qkv[96], qkv[192]]).toEqual([15, 48, 16, 32]);
});

const refused: [what: string, edits: Edits, ...parts: string[]][] = [
  [
    "another LoRA rank than the settings say",
    { settings: (json) => Object.assign((json.stages as object[])[0]!, { lora_r: 8 }) },
    "TinyGPT-V_for_Stage4.pth: LoRA rank: want 8 as the settings say, got 4",
  ],
  [
    "no LoRA where the settings say there is",
    { checkpoint: (all) => rename(all, (name) => (isLora(name) ? undefined : name)) },
    'LoRA rank: want 4 as the settings say, got 0, no LoRA matrices; if that is right (merged weights have none), set "lora_r" of this file under "stages" in the settings to 0',
  ],
  [
    "LoRA of a rank whose alpha nothing tells",
    { settings: (json) => (json.stages = []) },
    'LoRA alpha: want a number for rank 4, got none; name the file with its lora_r and lora_alpha under "stages"',
  ],
  [
    "LoRA of several ranks",
    {
      checkpoint: (all) => {
        all.set(`${lora}.1.self_attn.dense.lora_A.weight`, float32([2, width], Number));
        all.set(`${lora}.1.self_attn.dense.lora_B.weight`, float32([width, 2], Number));
      },
    },
    "LoRA rank: want one for all matrices, got 4, 2",
  ],
  [
    "a weight with and without a wrapper",
    {
      checkpoint: (all) => all.set("module.llama_proj.bias", all.get("llama_proj.bias")!),
    },
    "llama_proj.bias and module.llama_proj.bias are the same weight",
  ],
  [
    "half of a LoRA pair of the fused matrix",
    { checkpoint: (all) => all.delete(`${lora}.1.self_attn.query_key_value.lora_B.weight`) },
    "1 are in none of the files: model.layers.1.self_attn.query_key_value.lora_B.weight",
    "lora_A and lora_B",
  ],
  [
    "half of a LoRA pair of the output matrix",
    { checkpoint: (all) => all.delete(`${lora}.0.self_attn.dense.lora_A.weight`) },
    "model.layers.0.self_attn.dense.lora_A.weight",
  ],
  [
    "a LoRA matrix of another width",
    {
      checkpoint: (all) =>
        all.set(`${lora}.1.self_attn.dense.lora_A.weight`, float32([rank, 90], Number)),
    },
    `shape: ${lora}.1.self_attn.dense.lora_A.weight (`,
    "want [4,80], got [4,90]",
  ],
  [
    "a LoRA of no rank",
    {
      checkpoint: (all) => {
        for (const name of [...all.keys()].filter((key) => key.endsWith("lora_A.weight")))
          all.set(name, float32([0, width], Number));
      },
      settings: (json) => Object.assign((json.stages as object[])[0]!, { lora_r: 0 }),
    },
    "want [1,80], got [0,80]",
  ],
  [
    "LoRA of a layer that is not there",
    {
      checkpoint: (all) => {
        all.set(`${lora}.7.self_attn.dense.lora_A.weight`, float32([rank, width], Number));
        all.set(`${lora}.7.self_attn.dense.lora_B.weight`, float32([width, rank], Number));
      },
    },
    "3 language-model layers, got 2 weights beyond",
    `${lora}.7.self_attn.dense.lora_A.weight`,
  ],
  [
    "one spelling of a weight beside the other",
    {
      checkpoint: (all) =>
        all.set(
          `${lora}.0.self_attn.dense.lora_A.default.weight`,
          all.get(`${lora}.0.self_attn.dense.lora_A.weight`)!,
        ),
    },
    "are the same weight",
  ],
  [
    "norms of a layer missing",
    { checkpoint: dropNorms, phi: dropNorms },
    "9 are in none of the files: model.layers.0.self_attn.q_layernorm.weight",
    "the reference would go on with untrained ones",
  ],
  [
    "one linear map missing",
    { checkpoint: (all) => all.delete("llama_proj2.bias") },
    "1 are in none of the files: llama_proj2.bias",
    "the reference would go on with random ones",
  ],
  [
    "all linear maps missing",
    { checkpoint: (all) => rename(all, (name) => (/proj/.test(name) ? undefined : name)) },
    "4 are in none of the files: llama_proj.weight, llama_proj.bias, llama_proj2.weight, llama_proj2.bias",
    "is this the stage file",
  ],
  [
    "keys that fit nothing",
    {
      checkpoint: (all) => {
        all.set(`${lora}.0.self_attn.q_proj.weight`, float32([width, width], Number));
        all.set("projector.weight", float32([1], Number));
      },
    },
    "got 2 that fit nothing",
    `${lora}.0.self_attn.q_proj.weight, projector.weight`,
    "the reference would drop them in silence",
  ],
  [
    "whole numbers for a weight",
    {
      checkpoint: (all) => all.set("llama_proj.bias", { ...float32([40], Number), dtype: "int32" }),
    },
    "dtype: llama_proj.bias (",
    "want one of float64, float32, float16, bfloat16, got int32",
  ],
];
it.each(refused)("refuses %s", async (_, edits, ...parts) => {
  const { sources, settings } = await edited(edits);
  const error: unknown = await convert({ sources, settings, out: join(folder.path, "no") }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: "TinyGptvError", code: "layout" });
  for (const part of parts) expect((error as Error).message).toContain(part);
});

it("takes the alpha of the same rank where a stage file has another name than the settings'", async () => {
  const weights = await weightsOf(
    await edited({
      settings: (json) => Object.assign((json.stages as object[])[0]!, { file: "another.pth" }),
    }),
  );
  const named = await weightsOf(await edited({}));
  const name = "phi.layers.0.attention.dense.weight";
  expect(await weights("phi", name)).toEqual(await named("phi", name));
});

function dropNorms(tensors: Tensors): void {
  rename(tensors, (name) =>
    /(q_layernorm|k_layernorm|post_layernorm)\.weight/.test(name) ? undefined : name,
  );
}

function floats(tensors: Tensors, name: string): Float32Array {
  return toFloat32(tensors.get(name)!.data, "float32");
}

it("says what a PEFT adapter lacks, given as a folder or a file", async () => {
  const adapter = join(folder.path, "adapter");
  await mkdir(adapter);
  await writeFile(join(adapter, "adapter_config.json"), "{}");
  const key = "base_model.model.model.layers.0.self_attn.dense.lora_A.weight";
  await writeSafetensors(join(adapter, "adapter_model.safetensors"), [
    [key, float32([rank, width], Number)],
  ]);
  const { sources, settings } = await edited({});
  for (const checkpoint of [adapter, join(adapter, "adapter_model.safetensors")]) {
    const given = { sources: { ...sources, checkpoint }, settings };
    const error = await convert({ ...given, out: join(folder.path, "no") }).catch(
      (reason: Error) => reason,
    );
    expect(error).toMatchObject({ code: "layout" });
    expect((error as Error).message).toMatch(
      /adapter.*: want a TinyGPT-V stage file, got a PEFT adapter .*llama_proj, llama_proj2.*q_layernorm/,
    );
  }
});
