/**
 * The file that the reference's training saves after an epoch, `checkpoint_0.pth`, which
 * it, and our converter, load: `{"model", "optimizer", "config", "scaler", "epoch"}`.
 */
import { join } from "node:path";
import {
  openStageFile,
  orderedDict,
  PythonFloat,
  PythonTuple,
  TorchFile,
  type PythonValue,
} from "@tinygptv/convert";
import { toFloat32 } from "@tinygptv/model";
import { onDisk, replaceDurably } from "@tinygptv/model/disk";
import { asBytes } from "@tinygptv/network";
import { isDecayed, type AdamWState } from "../adamw.ts";
import { lossScaling, type LossScale } from "../lossScaler.ts";
import type { Parameter } from "../parameter.ts";
import { fromPublished, toPublished, type PublishedTensor } from "./published.ts";

/** A value of a configuration, as JSON or YAML has it; what is undefined is left out. */
export type ConfigValue =
  | null
  | boolean
  | number
  | string
  | readonly ConfigValue[]
  | { readonly [name: string]: ConfigValue | undefined };

/** What a stage file is made of. */
export interface StageResult {
  readonly parameters: readonly Parameter[];
  /** Of the language model. */
  readonly numHeads: number;
  readonly moments: AdamWState;
  /** Learning rate of the last step. */
  readonly rate: number;
  readonly weightDecay: number;
  /** Of AdamW; the reference's unless given. */
  readonly betas?: readonly [number, number];
  /** Of a run in half precision. */
  readonly lossScale?: LossScale;
  /** What the run was set to; in the reference's words `run`, `model` and `datasets`. */
  readonly config: ConfigValue;
  /** From 0. */
  readonly epoch: number;
}

/**
 * Writes the stage file of an epoch; an older one of the same epoch gives way when it is whole.
 * Storages say that they come from a CPU, so it can be loaded without a GPU.
 * @returns its path, `checkpoint_EPOCH.pth` in the folder
 * @throws TinyGptvError "parameter" for a tensor that stage files have no name for, "io" for the disk
 */
export async function writeStageFile(folder: string, result: StageResult): Promise<string> {
  const name = `checkpoint_${result.epoch}`;
  const path = join(folder, `${name}.pth`);
  const tensors = await toPublished(result.parameters, result.numHeads);
  const file = new TorchFile({ archive: name });
  const value = dict({
    model: orderedDict(model(file, tensors)),
    optimizer: await optimizer(file, tensors, result),
    config: asPython(result.config),
    scaler: result.lossScale ? scaler(result.lossScale) : null,
    epoch: result.epoch,
  });
  await onDisk(path, () => replaceDurably(path, file.chunks(value)));
  return path;
}

/**
 * The trained tensors of a stage file, ours or a published one. What else it holds is not read.
 * @param numHeads of the language model
 * @throws TinyGptvError "checkpoint" for a damaged file, "layout" for one that is no stage file or has unknown keys
 */
export async function readStageFile(path: string, numHeads: number): Promise<Parameter[]> {
  const source = await openStageFile(path);
  try {
    const parameters: Parameter[] = [];
    for (const [key, { shape, dtype }] of source.tensors) {
      if (dtype === "int64") continue;
      const tensor = { key, shape, values: toFloat32(await source.read(key), dtype) };
      const parameter = await fromPublished(tensor, numHeads, `${key} (${path})`);
      if (parameter) parameters.push(parameter);
    }
    return parameters;
  } finally {
    await source.close();
  }
}

/** A buffer of the Q-Former that all stage files hold and nothing reads: 0 to 511. */
const positionIds = { key: "Qformer.bert.embeddings.position_ids", count: 512 };

/** It stands where the Q-Former does: before the mapping, which is made last. */
function model(file: TorchFile, tensors: readonly PublishedTensor[]) {
  const entries = tensors.map(
    ({ key, shape, values }) =>
      [key, file.tensor("float32", shape, asBytes(values))] as [string, PythonValue],
  );
  const { key, count } = positionIds;
  const ids = BigInt64Array.from({ length: count }, (_, i) => BigInt(i));
  const buffer = file.tensor("int64", [1, count], new Uint8Array(ids.buffer));
  const mapping = tensors.findIndex(({ name }) => name.startsWith("mapping."));
  entries.splice(mapping < 0 ? entries.length : mapping, 0, [key, buffer]);
  return new Map(entries);
}

/** torch.optim.AdamW's state: the tensors that decay, then the others, numbered through. */
async function optimizer(
  file: TorchFile,
  tensors: readonly PublishedTensor[],
  { moments, rate, weightDecay, betas = [0.9, 0.999], numHeads }: StageResult,
): Promise<PythonValue> {
  const groups = [true, false].map((decays) =>
    tensors.filter((tensor) => isDecayed(tensor) === decays),
  );
  const numbered = groups.flat();
  const state = new Map<PythonValue, PythonValue>();
  for (const [i, { name, shape }] of numbered.entries()) {
    const found = moments.get(name);
    // PyTorch makes it at a tensor's first step.
    if (!found || found.step === 0) continue;
    const published = async (values: Float32Array) => {
      const [tensor] = await toPublished([{ name, shape, values }], numHeads);
      return file.tensor("float32", shape, asBytes(tensor!.values));
    };
    state.set(
      i,
      dict({
        step: file.tensor("float32", [], asBytes(Float32Array.of(found.step))),
        exp_avg: await published(found.first),
        exp_avg_sq: await published(found.second),
      }),
    );
  }
  let next = 0;
  const groupOf = (group: readonly PublishedTensor[], decay: PythonValue) =>
    dict({
      weight_decay: decay,
      lr: new PythonFloat(rate),
      betas: new PythonTuple(...betas),
      eps: 1e-8,
      amsgrad: false,
      foreach: null,
      maximize: false,
      capturable: false,
      params: group.map(() => next++),
    });
  const [decayed, kept] = groups as [PublishedTensor[], PublishedTensor[]];
  return dict({
    state,
    param_groups: [groupOf(decayed, new PythonFloat(weightDecay)), groupOf(kept, 0)],
  });
}

function scaler({ scale, cleanSteps }: LossScale): PythonValue {
  const { growth, backoff, growthInterval } = lossScaling;
  return dict({
    scale: new PythonFloat(scale),
    growth_factor: new PythonFloat(growth),
    backoff_factor: backoff,
    growth_interval: growthInterval,
    _growth_tracker: cleanSteps,
  });
}

function asPython(value: ConfigValue): PythonValue {
  if (Array.isArray(value)) return value.map(asPython);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value as Readonly<Record<string, ConfigValue | undefined>>);
  return new Map(
    entries.flatMap(([name, each]): [string, PythonValue][] =>
      each === undefined ? [] : [[name, asPython(each)]],
    ),
  );
}

const dict = (entries: Record<string, PythonValue>) =>
  new Map<PythonValue, PythonValue>(Object.entries(entries));
