import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { onDisk } from "@tinygptv/model/disk";
import { openWith } from "./byteSource.ts";
import { openShards } from "./shards.ts";
import { damaged, describe } from "./untrusted.ts";
import { readWeights } from "./weightFile.ts";
import type { WeightSource } from "./weightSource.ts";

/** What a Hugging Face folder may hold its weights in, in the order in which transformers looks for them. */
const layouts = [
  { name: "model.safetensors", open: openOne },
  { name: "model.safetensors.index.json", open: openShards },
  { name: "pytorch_model.bin", open: openOne },
  { name: "pytorch_model.bin.index.json", open: openShards },
  // No weights of a model, but what they are should be told.
  { name: "adapter_model.safetensors", open: openOne },
  { name: "adapter_model.bin", open: openOne },
];

/**
 * The weights in a file of torch.save, a safetensors file, or a folder with one
 * of either or with shards and their index. The content decides, not the name.
 * Errors: `io` where the disk refuses, `checkpoint` for anything wrong in the files.
 */
export async function openWeights(path: string): Promise<WeightSource> {
  const found = await onDisk(path, () => stat(path));
  if (!found.isDirectory()) return openOne(path);

  const names = await onDisk(path, () => readdir(path));
  const layout = layouts.find(({ name }) => names.includes(name));
  if (!layout) {
    const wanted = layouts.map(({ name }) => name).join(", ");
    throw damaged(path, `want a folder with one of ${wanted}, got ${describe(names.toSorted())}`);
  }
  return { ...(await layout.open(join(path, layout.name))), path };
}

function openOne(path: string): Promise<WeightSource> {
  return openWith(path, readWeights);
}
