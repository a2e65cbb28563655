/**
 * Where a training stands, on the disk: `state-000012`, a folder with every number of the
 * parameters and of the optimizer (`tensors.safetensors`) and the rest in words
 * (`state.json`). It is written under another name, waits for the disk, and is then
 * renamed; older ones go only after that. So a process may be killed at any moment.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { openSafetensors, safetensorsFile, type TensorInput } from "@tinygptv/convert";
import { parseJsonFile, toFloat32 } from "@tinygptv/model";
import {
  cleanUpAfterKilled,
  moveIntoPlace,
  onDisk,
  readText,
  syncFolder,
  withScratchName,
  writeDurably,
} from "@tinygptv/model/disk";
import { asBytes } from "@tinygptv/network";
import { TinyGptvError } from "@tinygptv/protocol";
import type { AdamWState, Moments } from "../adamw.ts";
import type { Parameter } from "../parameter.ts";

const progressSchema = z.strictObject({
  /** Steps that were taken. */
  step: z.int().min(0),
  epoch: z.int().min(0),
  seed: z.number(),
  /** Of the data, in its own words. */
  mixture: z.unknown(),
  /** The lowest loss an evaluation has found; null before the first. */
  bestLoss: z.number().nullable(),
  /** In half precision. */
  lossScale: z.strictObject({ scale: z.number(), cleanSteps: z.int().min(0) }).optional(),
  /** What the run was set to, in its own words. */
  settings: z.unknown(),
});
/** All of a training's state that is no tensor. */
export type Progress = z.infer<typeof progressSchema>;

/** All that a training goes on from. */
export interface TrainingState {
  readonly parameters: readonly Parameter[];
  readonly moments: AdamWState;
  readonly progress: Progress;
}

const formatVersion = 1;
const stateSchema = z.strictObject({
  formatVersion: z.literal(formatVersion),
  progress: progressSchema,
  /** Steps the optimizer took for each tensor; one that no gradient reached stands back. */
  steps: z.record(z.string(), z.int().min(0)),
  /** Of the tensors' file, in hex. */
  sha256: z.string(),
});

const jsonName = "state.json";
const tensorsName = "tensors.safetensors";
/** Scratch folders of all states begin with this, so that what a killed process left is found. */
const baseName = "state";
const folderName = (count: number) => `${baseName}-${String(count).padStart(6, "0")}`;

/**
 * Saves a state beside those before it. What it points to must not change until it is done.
 * @param keep how many states stay, this one included
 * @returns its folder
 * @throws TinyGptvError "io" for the disk; "conflict" where another run saves to the same folder
 */
export async function saveState(
  folder: string,
  state: TrainingState,
  keep: number,
): Promise<string> {
  const base = join(folder, baseName);
  return onDisk(folder, async () => {
    await mkdir(folder, { recursive: true });
    await cleanUpAfterKilled(base);
    const before = await counts(folder);
    const target = join(folder, folderName((before[0] ?? 0) + 1));
    await withScratchName(base, "partial", async (partial) => {
      try {
        await mkdir(partial);
        await writeState(partial, state);
        if (!(await moveIntoPlace(partial, target, false)))
          throw new TinyGptvError(
            "conflict",
            `${target}: want one run to save here, got a state of another one`,
          );
      } finally {
        await rm(partial, { recursive: true, force: true });
      }
    });
    await syncFolder(folder);
    for (const count of before.slice(keep - 1)) await remove(folder, count);
    return target;
  });
}

/** What was found of a training. */
export interface LoadedState {
  readonly state: TrainingState;
  /** The folder it was in. */
  readonly path: string;
  /** Newer states that could not be read, each with what is wrong with it: to be told. */
  readonly damaged: readonly string[];
}

/**
 * The newest whole state of a folder.
 * @returns undefined where there is none
 * @throws TinyGptvError "checkpoint" where all there are are damaged, "io" for the disk
 */
export async function loadState(folder: string): Promise<LoadedState | undefined> {
  const found = await onDisk(folder, () => counts(folder));
  const damaged: string[] = [];
  for (const count of found) {
    const path = join(folder, folderName(count));
    try {
      return { state: await readState(path), path, damaged };
    } catch (error) {
      if (!(error instanceof TinyGptvError)) throw error;
      damaged.push(error.message);
    }
  }
  if (damaged.length === 0) return undefined;
  throw new TinyGptvError(
    "checkpoint",
    `${folder}: want a state to go on from, got only damaged ones: ${damaged.join("; ")}`,
    { subject: folder },
  );
}

/** Of the states in a folder, the newest first. */
async function counts(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return names
    .flatMap((name) => /^state-(\d{6,})$/.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => b - a);
}

/** Under another name first: a state that is half removed is none. */
async function remove(folder: string, count: number): Promise<void> {
  await withScratchName(join(folder, baseName), "partial", async (scratch) => {
    await rename(join(folder, folderName(count)), scratch);
    await rm(scratch, { recursive: true });
  });
}

async function writeState(
  folder: string,
  { parameters, moments, progress }: TrainingState,
): Promise<void> {
  const hash = createHash("sha256");
  async function* hashed(chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      hash.update(chunk);
      yield chunk;
    }
  }
  const tensors = parameters.flatMap(({ name, shape, values }): [string, TensorInput][] => {
    const { first, second } = momentsOf(moments, name);
    return [
      [`value.${name}`, asTensor(shape, values)],
      [`first.${name}`, asTensor(shape, first)],
      [`second.${name}`, asTensor(shape, second)],
    ];
  });
  await writeDurably(join(folder, tensorsName), hashed(safetensorsFile(tensors)));
  const json: z.infer<typeof stateSchema> = {
    formatVersion,
    progress,
    steps: Object.fromEntries(
      parameters.map(({ name }) => [name, momentsOf(moments, name).step] as const),
    ),
    sha256: hash.digest("hex"),
  };
  await writeDurably(join(folder, jsonName), `${JSON.stringify(json, null, 2)}\n`);
  await syncFolder(folder);
}

async function readState(folder: string): Promise<TrainingState> {
  const jsonPath = join(folder, jsonName);
  const text = await onDisk(jsonPath, () => readText(jsonPath));
  const { progress, steps, sha256 } = parseJsonFile(text, jsonPath, stateSchema, "checkpoint");
  const path = join(folder, tensorsName);
  const found = await onDisk(path, () => hashOf(path));
  if (found !== sha256)
    throw new TinyGptvError("checkpoint", `${path}: sha256: want ${sha256}, got ${found}`);
  const source = await openSafetensors(path);
  try {
    const read = async (name: string) => toFloat32(await source.read(name), "float32");
    const parameters: Parameter[] = [];
    const moments = new Map<string, Moments>();
    for (const [name, step] of Object.entries(steps)) {
      const [values, first, second] = [
        await read(`value.${name}`),
        await read(`first.${name}`),
        await read(`second.${name}`),
      ];
      parameters.push({ name, shape: source.tensors.get(`value.${name}`)!.shape, values });
      moments.set(name, { step, first, second });
    }
    return { parameters, moments, progress };
  } finally {
    await source.close();
  }
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}

function momentsOf(moments: AdamWState, name: string): Moments {
  const found = moments.get(name);
  if (found) return found;
  throw new TinyGptvError("parameter", `${name}: want moments, got none`, { subject: name });
}

const asTensor = (shape: readonly number[], values: Float32Array): TensorInput => ({
  dtype: "float32",
  shape,
  data: asBytes(values),
});
