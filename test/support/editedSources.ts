import { copyFile, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openWeights } from "../../lib/convert/src/checkpoint/folder.ts";
import { findSources, type SourcePaths } from "../../lib/convert/src/sources.ts";
import type { TensorInput } from "../../lib/convert/src/checkpoint/writing/chunks.ts";
import type { PythonValue } from "../../lib/convert/src/checkpoint/writing/pickler.ts";
import { writeTorchZip } from "./checkpoint/writeTorchZip.ts";
import { fixture } from "./converted.ts";

export type Tensors = Map<string, TensorInput & { readonly data: Uint8Array }>;
type Json = Record<string, unknown>;

/** Changes to a fixture set, made in place. What is not named stays as it is. */
export interface Edits {
  phi?: (tensors: Tensors) => void;
  vision?: (tensors: Tensors) => void;
  qformer?: (tensors: Tensors) => void;
  checkpoint?: (tensors: Tensors) => void;
  /** Entries of the stage file that are no tensors. */
  besides?: Readonly<Record<string, PythonValue>>;
  /** Of the language model's `config.json`. */
  config?: (config: Json) => void;
  /** Of `model.json`. */
  settings?: (settings: Json) => void;
  /** Files of the language-model folder to leave out. */
  without?: readonly string[];
}

export interface EditedSources {
  sources: SourcePaths;
  settings: string;
}

/** Writes the changed files of a set into a folder. @returns what a conversion is given */
export async function editedSources(
  folder: string,
  edits: Edits,
  set = "micro-stage4",
  given: Partial<SourcePaths> = {},
): Promise<EditedSources> {
  await mkdir(folder, { recursive: true });
  const { paths, settings } = await findSources(fixture(set), given);
  const sources = { ...paths };
  for (const role of ["vision", "qformer", "checkpoint"] as const) {
    const edit = edits[role];
    if (!edit) continue;
    const tensors = await readTensors(paths[role]);
    edit(tensors);
    sources[role] = join(folder, paths[role].split("/").at(-1)!);
    await writeTorchZip(sources[role], tensors, {
      ...(role === "vision" ? {} : { under: "model" }),
      ...(role === "checkpoint" && edits.besides ? { besides: edits.besides } : {}),
    });
  }
  if (edits.phi || edits.config || edits.without) {
    const tensors = await readTensors(paths.phi);
    edits.phi?.(tensors);
    sources.phi = join(folder, "phi-2");
    await mkdir(sources.phi);
    await writeTorchZip(join(sources.phi, "pytorch_model.bin"), tensors);
    await copySideFiles(paths.phi, sources.phi, edits.without);
    if (edits.config) await editJson(paths.phi, sources.phi, "config.json", edits.config);
  }
  if (!edits.settings) return { sources, settings: settings! };
  await editJson(fixture(set), folder, "model.json", edits.settings);
  return { sources, settings: join(folder, "model.json") };
}

/** All tensors of a checkpoint, in the order they are stored in. */
export async function readTensors(path: string): Promise<Tensors> {
  const source = await openWeights(path);
  try {
    const tensors: Tensors = new Map();
    for (const [name, { dtype, shape }] of source.tensors)
      tensors.set(name, { dtype, shape, data: await source.read(name) });
    return tensors;
  } finally {
    await source.close();
  }
}

/** Copies what is not weights: configuration and tokenizer. */
export async function copySideFiles(
  from: string,
  to: string,
  without: readonly string[] = [],
): Promise<void> {
  for (const name of await readdir(from))
    if (/\.(json|txt)$/.test(name) && !name.endsWith(".index.json") && !without.includes(name))
      await copyFile(join(from, name), join(to, name));
}

/** Gives tensors other names; `undefined` drops one. */
export function rename(tensors: Tensors, newName: (name: string) => string | undefined): void {
  const entries = [...tensors];
  tensors.clear();
  for (const [name, tensor] of entries) {
    const renamed = newName(name);
    if (renamed !== undefined) tensors.set(renamed, tensor);
  }
}

/** A tensor of float32 numbers. */
export function float32(
  shape: readonly number[],
  value: (i: number) => number,
): TensorInput & { data: Uint8Array } {
  const count = shape.reduce((product, size) => product * size, 1);
  const data = new Uint8Array(Float32Array.from({ length: count }, (_, i) => value(i)).buffer);
  return { dtype: "float32", shape, data };
}

async function editJson(
  from: string,
  to: string,
  name: string,
  edit: (json: Json) => void,
): Promise<void> {
  const json: Json = JSON.parse(await readFile(join(from, name), "utf8"));
  edit(json);
  await writeFile(join(to, name), JSON.stringify(json));
}
