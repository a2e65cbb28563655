/**
 * An adapter as PEFT keeps it: a folder with `adapter_config.json` and
 * `adapter_model.safetensors`. LoRA is PEFT's own; norms and mapping are what it calls
 * modules to save, whole modules that take the place of the model's.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { openWeights, safetensorsFile, type TensorInput } from "@tinygptv/convert";
import { parseJsonFile, toFloat32 } from "@tinygptv/model";
import { exists, onDisk, readText, replaceDurably } from "@tinygptv/model/disk";
import { asBytes } from "@tinygptv/network";
import { TinyGptvError } from "@tinygptv/protocol";
import type { Parameter } from "../parameter.ts";
import { fromPublished, isLora, toPublished } from "./published.ts";

/** LoRA and what was trained beside it. */
export interface Adapter {
  /** LoRA matrices, and whatever else was trained. */
  readonly parameters: readonly Parameter[];
  readonly rank: number;
  /** What B·A is multiplied by, times the rank. */
  readonly alpha: number;
  readonly dropout: number;
  /** What it was trained on, where that is known. */
  readonly base?: string | undefined;
}

const configName = "adapter_config.json";
/** The second is of before 2023. */
export const weightNames = ["adapter_model.safetensors", "adapter_model.bin"] as const;

const configSchema = z.looseObject({
  peft_type: z.literal("LORA"),
  r: z.int().min(1),
  lora_alpha: z.number().positive(),
  lora_dropout: z.number().min(0).max(1).default(0),
  base_model_name_or_path: z.string().nullish(),
});

/** Settings of PEFT that would make something else of the same matrices, and the only values read here. */
const neutral: Readonly<Record<string, readonly unknown[]>> = {
  bias: ["none"],
  fan_in_fan_out: [false],
  use_rslora: [false],
  use_dora: [false],
  use_qalora: [false],
  enable_lora: [null],
  // The others change the frozen weights too.
  init_lora_weights: [true, false, "gaussian", "orthogonal", "eva"],
  lora_bias: [false],
  rank_pattern: [{}, null],
  alpha_pattern: [{}, null],
  layer_replication: [null],
  trainable_token_indices: [null],
  target_parameters: [null],
};

/**
 * Writes an adapter folder; files of an older adapter in it give way.
 * @param numHeads of the language model
 * @throws TinyGptvError "parameter" where there is no LoRA, which PEFT has no form for, or a tensor it has no name for; "io" for the disk
 */
export async function writeAdapter(
  folder: string,
  { parameters, rank, alpha, dropout, base }: Adapter,
  numHeads: number,
): Promise<void> {
  if (!parameters.some(isLora))
    throw new TinyGptvError(
      "parameter",
      `${folder}: want LoRA matrices to make a PEFT adapter of, got only ${parameters.map(({ name }) => name).join(", ")}; a stage file holds norms and mapping alone`,
    );
  const published = await toPublished(parameters, numHeads);
  const tensors = published.map(({ key, shape, values }): [string, TensorInput] => [
    peftKey(key),
    { dtype: "float32", shape, data: asBytes(values) },
  ]);
  /** Of `….dense.lora_A.weight` the module is `dense`, of `….final_layernorm.weight` `final_layernorm`. */
  const modules = (some: typeof published, place: number) => [
    ...new Set(some.map(({ key }) => key.split(".").at(place)!)),
  ];
  const config = {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: base ?? null,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: dropout,
    target_modules: modules(published.filter(isLora), -3),
    modules_to_save: modules(
      published.filter((tensor) => !isLora(tensor)),
      -2,
    ),
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
  };
  await onDisk(folder, async () => {
    await mkdir(folder, { recursive: true });
    await replaceDurably(join(folder, weightNames[0]), safetensorsFile(tensors));
    await replaceDurably(join(folder, configName), `${JSON.stringify(config, null, 2)}\n`);
  });
}

/**
 * Reads an adapter folder, ours or one that PEFT made of the reference's model.
 * @throws TinyGptvError "checkpoint" for damaged files, "layout" for what would be another update than
 *   W + alpha / rank · B·A, for keys of nothing here, and for half a LoRA; "io" for the disk
 */
export async function readAdapter(folder: string, numHeads: number): Promise<Adapter> {
  const configPath = join(folder, configName);
  const text = await onDisk(configPath, () => readText(configPath));
  const config = parseJsonFile(text, configPath, configSchema, "layout");
  expectPlain(config, configPath);
  const path = join(folder, weightNames[(await exists(join(folder, weightNames[0]))) ? 0 : 1]);
  const source = await openWeights(path);
  const parameters: Parameter[] = [];
  try {
    for (const [key, { shape, dtype }] of source.tensors) {
      const tensor = {
        key: stageKeyOf(key),
        shape,
        values: toFloat32(await source.read(key), dtype),
      };
      const parameter = await fromPublished(tensor, numHeads, `${key} (${path})`);
      if (parameter) parameters.push(parameter);
    }
  } finally {
    await source.close();
  }
  expectPairs(parameters, config.r, path);
  return {
    parameters,
    rank: config.r,
    alpha: config.lora_alpha,
    dropout: config.lora_dropout,
    base: config.base_model_name_or_path ?? undefined,
  };
}

/** Of the language model inside the reference's, which is what PEFT wraps there. */
const wrapped = "base_model.model.";

const peftKey = (stageKey: string): string =>
  stageKey.startsWith("llama_model.") ? stageKey.slice("llama_model.".length) : wrapped + stageKey;

/** A key as a stage file has it. PEFT around all of the model, its older names and adapters by a name of their own are known too. */
function stageKeyOf(key: string): string {
  const plain = key
    .replace(/\.modules_to_save(\.default)?\./, ".")
    .replace(/\.(lora_[AB])\.default\./, ".$1.");
  if (!plain.startsWith(wrapped)) return plain;
  const inner = plain.slice(wrapped.length);
  return inner.startsWith("model.") || inner.startsWith("lm_head.")
    ? `llama_model.${plain}`
    : inner;
}

function expectPlain(config: Readonly<Record<string, unknown>>, path: string): void {
  for (const [name, allowed] of Object.entries(neutral)) {
    if (!(name in config)) continue;
    const got = JSON.stringify(config[name]);
    if (allowed.some((value) => JSON.stringify(value) === got)) continue;
    throw new TinyGptvError(
      "layout",
      `${path}: ${name}: want ${JSON.stringify(allowed[0])}, got ${got}`,
      { subject: name },
    );
  }
}

function expectPairs(parameters: readonly Parameter[], rank: number, path: string): void {
  const shapes = new Map(parameters.map(({ name, shape }) => [name, shape]));
  for (const { name, shape } of parameters.filter(isLora)) {
    const other = name.replace(/[AB]$/, (end) => (end === "A" ? "B" : "A"));
    if (!shapes.has(other))
      throw new TinyGptvError("layout", `${path}: want ${other} beside ${name}, got none`, {
        subject: other,
      });
    const got = name.endsWith("A") ? shape[0] : shape[1];
    if (got !== rank)
      throw new TinyGptvError(
        "layout",
        `${path}: ${name}: want rank ${rank} as ${configName} says, got [${shape}]`,
        { subject: name },
      );
  }
}
