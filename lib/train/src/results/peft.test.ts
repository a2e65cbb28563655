import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSafetensors, type TensorInput } from "@tinygptv/convert";
import { writeSafetensors } from "../../../../test/support/checkpoint/writeSafetensors.ts";
import { writeTorchZip } from "../../../../test/support/checkpoint/writeTorchZip.ts";
import { readAdapter, writeAdapter, type Adapter } from "./peft.ts";
import { readStageFile } from "./stageFile.ts";

const fixtures = new URL("../../../../test/fixtures/", import.meta.url).pathname;
const stageFile = `${fixtures}micro-stage4/TinyGPT-V_for_Stage4.pth`;
const numHeads = 4;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tinygptv-peft-"));
});
afterEach(() => rm(folder, { recursive: true }));

const adapterOf = async (): Promise<Adapter> => ({
  parameters: await readStageFile(stageFile, numHeads),
  rank: 4,
  alpha: 16,
  dropout: 0.05,
  base: "phi-2",
});

test("out and in again, an adapter is the same, bit for bit", async () => {
  const adapter = await adapterOf();
  await writeAdapter(folder, adapter, numHeads);
  expect(await readAdapter(folder, numHeads)).toEqual(adapter);
});

test("the folder is as PEFT has it", async () => {
  await writeAdapter(folder, await adapterOf(), numHeads);
  const config = JSON.parse(await readFile(join(folder, "adapter_config.json"), "utf8"));
  expect(config).toMatchObject({
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    r: 4,
    lora_alpha: 16,
    lora_dropout: 0.05,
    target_modules: ["query_key_value", "dense"],
    bias: "none",
    base_model_name_or_path: "phi-2",
  });
  expect(config.modules_to_save.toSorted()).toEqual([
    "final_layernorm",
    "input_layernorm",
    "k_layernorm",
    "llama_proj",
    "llama_proj2",
    "post_layernorm",
    "q_layernorm",
  ]);
  const source = await openSafetensors(join(folder, "adapter_model.safetensors"));
  const keys = [...source.tensors.keys()];
  const layer = "base_model.model.model.layers.0";
  expect(keys).toHaveLength(29);
  expect(keys.slice(0, 5)).toEqual([
    `${layer}.self_attn.query_key_value.lora_A.weight`,
    `${layer}.self_attn.query_key_value.lora_B.weight`,
    `${layer}.self_attn.dense.lora_A.weight`,
    `${layer}.self_attn.dense.lora_B.weight`,
    `${layer}.self_attn.q_layernorm.weight`,
  ]);
  expect(keys).toContain("base_model.model.model.final_layernorm.weight");
  expect(keys).toContain("base_model.model.llama_proj2.bias");
  await source.close();
});

describe("a folder that PEFT made is read", () => {
  const attention = "base_model.model.model.layers.1.self_attn.query_key_value";
  const rank = 2;
  /** Row r of B is filled with r: which row is which shows. */
  const b: TensorInput = {
    dtype: "float32",
    shape: [240, rank],
    data: bytes(240 * rank, (i) => Math.floor(i / rank)),
  };
  const a: TensorInput = { dtype: "float32", shape: [rank, 80], data: bytes(rank * 80, (i) => i) };
  const config = {
    alpha_pattern: {},
    auto_mapping: null,
    base_model_name_or_path: "susnato/phi-2",
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layer_replication: null,
    layers_pattern: null,
    layers_to_transform: null,
    loftq_config: {},
    lora_alpha: 32,
    lora_bias: false,
    lora_dropout: 0.1,
    megatron_config: null,
    modules_to_save: null,
    peft_type: "LORA",
    r: rank,
    rank_pattern: {},
    target_modules: ["dense", "query_key_value"],
    target_parameters: null,
    task_type: "CAUSAL_LM",
    use_dora: false,
    use_rslora: false,
  };
  const put = async (tensors: Record<string, TensorInput>, settings: object = config) => {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "adapter_config.json"), JSON.stringify(settings));
    await writeSafetensors(join(folder, "adapter_model.safetensors"), Object.entries(tensors));
  };
  const expectLora = ({ parameters, ...rest }: Adapter) => {
    expect(rest).toEqual({ rank, alpha: 32, dropout: 0.1, base: "susnato/phi-2" });
    const [first, second] = parameters;
    expect(first!.name).toBe("phi.layers.1.attention.qkv.loraA");
    expect(second!.name).toBe("phi.layers.1.attention.qkv.loraB");
    // Heads of 20: the keys of head 1 follow its queries there, all queries here.
    const row = (r: number) => second!.values[r * rank];
    expect([row(0), row(20), row(80), row(100), row(160)]).toEqual([0, 60, 20, 80, 40]);
  };

  test.each([
    ["as it saves them", ["lora_A.weight", "lora_B.weight"]],
    ["as the model names them", ["lora_A.default.weight", "lora_B.default.weight"]],
  ])("with keys %s", async (_, [keyA, keyB]) => {
    await put({ [`${attention}.${keyA}`]: a, [`${attention}.${keyB}`]: b });
    expectLora(await readAdapter(folder, numHeads));
  });

  test("made around the whole model", async () => {
    const inner = attention.replace("base_model.model.", "base_model.model.llama_model.");
    await put({ [`${inner}.lora_A.weight`]: a, [`${inner}.lora_B.weight`]: b });
    expectLora(await readAdapter(folder, numHeads));
  });

  test("in the older file, with the configuration of peft 0.2.0", async () => {
    await writeFile(
      join(folder, "adapter_config.json"),
      JSON.stringify({
        base_model_name_or_path: "susnato/phi-2",
        bias: "none",
        enable_lora: null,
        fan_in_fan_out: false,
        inference_mode: true,
        lora_alpha: 32,
        lora_dropout: 0.1,
        merge_weights: false,
        modules_to_save: null,
        peft_type: "LORA",
        r: rank,
        target_modules: ["query_key_value", "dense"],
        task_type: "CAUSAL_LM",
      }),
    );
    await writeTorchZip(join(folder, "adapter_model.bin"), [
      [`${attention}.lora_A.weight`, a],
      [`${attention}.lora_B.weight`, b],
    ]);
    expectLora(await readAdapter(folder, numHeads));
  });

  test("with norms among the modules that were saved", async () => {
    const norm = { dtype: "float32", shape: [80], data: bytes(80, (i) => i) } as const;
    await put({
      [`${attention}.lora_A.weight`]: a,
      [`${attention}.lora_B.weight`]: b,
      "base_model.model.model.layers.1.input_layernorm.modules_to_save.default.weight": norm,
      "base_model.model.model.final_layernorm.weight": norm,
      "base_model.model.model.final_layernorm.bias": norm,
    });
    const { parameters } = await readAdapter(folder, numHeads);
    expect(parameters.slice(2).map(({ name }) => name)).toEqual([
      "phi.layers.1.norm.weight",
      "phi.norm.weight",
      "phi.norm.bias",
    ]);
  });

  describe("but not", () => {
    const both = { [`${attention}.lora_A.weight`]: a, [`${attention}.lora_B.weight`]: b };
    test.each([
      ["another method", { peft_type: "IA3" }, "peft_type"],
      ["rank-stabilised scales", { use_rslora: true }, "use_rslora: want false, got true"],
      ["DoRA", { use_dora: true }, "use_dora: want false, got true"],
      ["trained biases", { bias: "all" }, 'bias: want "none", got "all"'],
      ["ranks by layer", { rank_pattern: { dense: 8 } }, 'rank_pattern: want {}, got {"dense":8}'],
      ["PiSSA", { init_lora_weights: "pissa" }, 'init_lora_weights: want true, got "pissa"'],
      ["another rank", { r: 3 }, "want rank 3 as adapter_config.json says, got [2,80]"],
    ])("%s", async (_, change, message) => {
      await put(both, { ...config, ...change });
      await expect(readAdapter(folder, numHeads)).rejects.toThrow(message);
    });

    test("half a LoRA", async () => {
      await put({ [`${attention}.lora_A.weight`]: a });
      await expect(readAdapter(folder, numHeads)).rejects.toThrow(
        "want phi.layers.1.attention.qkv.loraB beside phi.layers.1.attention.qkv.loraA, got none",
      );
    });

    test("LoRA on other layers", async () => {
      const key = "base_model.model.model.layers.0.mlp.fc1.lora_A.weight";
      await put({ ...both, [key]: a });
      await expect(readAdapter(folder, numHeads)).rejects.toThrow(
        `${key} (${join(folder, "adapter_model.safetensors")}): want a weight of a TinyGPT-V`,
      );
    });

    test("a folder without its configuration", async () => {
      await expect(readAdapter(folder, numHeads)).rejects.toThrow(
        "adapter_config.json: no such file",
      );
    });
  });
});

test("norms and mapping alone are no adapter that PEFT has a form for", async () => {
  const { parameters, ...rest } = await adapterOf();
  const mapping = parameters.filter(({ name }) => name.startsWith("mapping."));
  await expect(writeAdapter(folder, { ...rest, parameters: mapping }, numHeads)).rejects.toThrow(
    "want LoRA matrices to make a PEFT adapter of, got only mapping.fc1.weight",
  );
});

function bytes(count: number, of: (i: number) => number): Uint8Array {
  return new Uint8Array(Float32Array.from({ length: count }, (_, i) => of(i)).buffer);
}
