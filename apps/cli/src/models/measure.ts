/** What a model folder takes on this disk, by what for. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Manifest } from "@tinygptv/model";
import { copyFolders, listAdapters } from "tinygptv";

export interface MeasuredLevel {
  level: string;
  isDefault: boolean;
  /** Bytes of its graphs, of which other levels have `shared`. */
  bytes: number;
  shared: number;
  /** Bytes of the copies of its graphs that load quickly; those of shared graphs count for each level. */
  copies: number;
}

export interface MeasuredModel {
  folder: string;
  name: string;
  weights: Manifest["weights"];
  /** All of the folder that is the model's: files of the manifest, each once, copies and adapters. */
  bytes: number;
  /** Of it, what belongs to no level: token embeddings and tokenizer. */
  common: number;
  levels: MeasuredLevel[];
  /** Those beside it, by name. */
  adapters: { name: string; bytes: number }[];
}

export async function measureModel(folder: string, manifest: Manifest): Promise<MeasuredModel> {
  const sizes = new Map(manifest.files.map(({ path, bytes }) => [path, bytes]));
  const sizeOf = (graph: string) => (sizes.get(graph) ?? 0) + (sizes.get(`${graph}.data`) ?? 0);
  const graphs = new Map(
    Object.entries(manifest.levels).map(([level, files]) => [level, Object.values(files)]),
  );
  const all = new Set([...graphs.values()].flat());
  const copies = new Map<string, number>();
  for (const graph of all)
    copies.set(graph, await bytesIn(await copyFolders(folder, manifest, graph)));

  const levels = [...graphs].map(([level, own]): MeasuredLevel => {
    const elsewhere = new Set(
      [...graphs].flatMap(([other, files]) => (other === level ? [] : files)),
    );
    return {
      level,
      isDefault: level === manifest.defaultLevel,
      bytes: sum(own.map(sizeOf)),
      shared: sum(own.filter((graph) => elsewhere.has(graph)).map(sizeOf)),
      copies: sum(own.map((graph) => copies.get(graph)!)),
    };
  });
  const files = sum(sizes.values());
  const adapters = await listAdapters(folder);
  return {
    folder,
    name: manifest.name,
    weights: manifest.weights,
    bytes: files + sum(copies.values()) + sum(adapters.map(({ bytes }) => bytes)),
    common: files - sum([...all].map(sizeOf)),
    levels,
    adapters,
  };
}

async function bytesIn(folders: readonly string[]): Promise<number> {
  const sizes = folders.map(async (folder) => {
    const names = await readdir(folder);
    return sum(
      await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size)),
    );
  });
  return sum(await Promise.all(sizes));
}

const sum = (values: Iterable<number>): number =>
  [...values].reduce((total, value) => total + value, 0);
