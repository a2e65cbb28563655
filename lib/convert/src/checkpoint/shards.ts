import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { onDisk } from "@tinygptv/model/disk";
import { openFile, openWith } from "./byteSource.ts";
import { parseStrictJson, requireObject } from "./strictJson.ts";
import { damaged, describe, quote } from "./untrusted.ts";
import { readWeights } from "./weightFile.ts";
import type { TensorInfo, WeightSource } from "./weightSource.ts";
import { requireTensor } from "./weightSource.ts";

// The 12 GB of a TinyGPT-V in 5 GB shards are three; each is a file held open.
const maxShards = 256;

const maxIndexBytes = 4 << 20;

interface ShardedTensor extends TensorInfo {
  readonly shard: WeightSource;
}

/**
 * The tensors of all shards that an index (`*.index.json`) names. Index and
 * shards must agree: each tensor in the shard it is said to be in, and no other.
 * Its `metadata.total_size` is not held against them: published ones are often wrong.
 */
export async function openShards(indexPath: string): Promise<WeightSource> {
  const shardOf = await readWeightMap(indexPath);
  const names = [...new Set(shardOf.values())];
  if (names.length > maxShards)
    throw damaged(indexPath, `want at most ${maxShards} shards, got ${names.length}`);

  const folder = dirname(indexPath);
  const present = await onDisk(folder, () => readdir(folder));
  const missing = names.filter((name) => !present.includes(name));
  if (missing.length > 0) {
    throw damaged(indexPath, `want the shards ${describe(missing)}, which are not there`);
  }

  const opened = await openAll(names.map((name) => join(folder, name)));
  const close = () => closeAll(opened);
  try {
    const shards = new Map(names.map((name, i) => [name, opened[i]!]));
    const tensors = joinTensors(indexPath, shardOf, shards);
    return {
      path: indexPath,
      tensors,
      async read(name, rows) {
        return requireTensor(indexPath, tensors, name).shard.read(name, rows);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Opens all of these, or none: if one fails, those that are open are closed again. */
async function openAll(paths: readonly string[]): Promise<WeightSource[]> {
  const results = await Promise.allSettled(paths.map((path) => openWith(path, readWeights)));
  const failure = results.find((result) => result.status === "rejected");
  const opened = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  if (!failure) return opened;
  await closeAll(opened);
  throw failure.reason;
}

async function closeAll(sources: readonly WeightSource[]): Promise<void> {
  await Promise.all(sources.map((source) => source.close()));
}

/** The shard's file name of each tensor. */
async function readWeightMap(indexPath: string): Promise<ReadonlyMap<string, string>> {
  const bytes = await readWhole(indexPath, maxIndexBytes);
  const index = requireObject(indexPath, "index", parseStrictJson(indexPath, "index", bytes));
  const weightMap = requireObject(indexPath, "weight_map", index.weight_map);
  const shardOf = new Map<string, string>();
  for (const [tensor, shard] of Object.entries(weightMap)) {
    // A plain name: an index must not reach out of its folder.
    const isPlain = typeof shard === "string" && /^[^/\\:\0]+$/.test(shard) && !/^\.+$/.test(shard);
    if (!isPlain) {
      throw damaged(
        indexPath,
        `tensor ${quote(tensor)}: want a file name without a folder, got ${describe(shard)}`,
      );
    }
    shardOf.set(tensor, shard);
  }
  if (shardOf.size === 0) throw damaged(indexPath, "weight_map: want tensors, got none");
  return shardOf;
}

async function readWhole(path: string, maxBytes: number): Promise<Uint8Array> {
  const source = await openFile(path);
  try {
    if (source.size > maxBytes)
      throw damaged(path, `want at most ${maxBytes} bytes, got ${source.size}`);
    return await source.read(0, source.size);
  } finally {
    await source.close();
  }
}

function joinTensors(
  indexPath: string,
  shardOf: ReadonlyMap<string, string>,
  shards: ReadonlyMap<string, WeightSource>,
): ReadonlyMap<string, ShardedTensor> {
  const tensors = new Map<string, ShardedTensor>();
  for (const [name, shardName] of shardOf) {
    const shard = shards.get(shardName)!;
    const info = shard.tensors.get(name);
    if (!info)
      throw damaged(
        indexPath,
        `tensor ${quote(name)}: want it in ${quote(shardName)}, which has ${shard.unread?.get(name) ?? "none of that name"}`,
      );
    tensors.set(name, { ...info, shard });
  }
  for (const [shard, { tensors: found, path }] of shards) {
    for (const name of found.keys()) {
      if (shardOf.get(name) !== shard) {
        throw damaged(
          path,
          `tensor ${quote(name)}: want only those of the index, which has it ${whereElse(shardOf.get(name))}`,
        );
      }
    }
  }
  return tensors;
}

function whereElse(shard: string | undefined): string {
  return shard === undefined ? "nowhere" : `in ${quote(shard)}`;
}
