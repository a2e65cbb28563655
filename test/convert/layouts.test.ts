/** The same weights in any public layout and container of the language model make the same graphs. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { convert } from "../../lib/convert/src/index.ts";
import { findSources } from "../../lib/convert/src/sources.ts";
import type { Manifest } from "../../lib/model/src/manifest.ts";
import { writeSafetensors } from "../support/checkpoint/writeSafetensors.ts";
import { writeTorchZip } from "../support/checkpoint/writeTorchZip.ts";
import { fixture, temporaryFolder } from "../support/converted.ts";
import { copySideFiles, readTensors, rename, type Tensors } from "../support/editedSources.ts";

const [width, numHeads] = [80, 4];
const fused = fixture("micro-stage4", "phi-2-bin");

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let expected: Record<string, string>;
beforeAll(async () => {
  folder = await temporaryFolder();
  expected = hashes(await convertWith(fused));
});
afterAll(() => folder.remove());

const layouts: Record<string, { change: (tensors: Tensors) => void; config?: object }> = {
  fused: { change: () => {} },
  separate: { change: toSeparate },
  blocks: {
    change: toBlocks,
    config: {
      n_embd: width,
      n_layer: 3,
      n_head: numHeads,
      n_inner: null,
      vocab_size: 896,
      rotary_dim: 8,
      layer_norm_epsilon: 1e-5,
      n_positions: 2048,
      activation_function: "gelu_new",
    },
  },
};

const containers: Record<string, (path: string, tensors: Tensors) => Promise<void>> = {
  "torch zip": (path, tensors) => writeTorchZip(join(path, "pytorch_model.bin"), tensors),
  "sharded torch zip": (path, tensors) =>
    writeShards(path, tensors, (n) => `pytorch_model-0000${n}-of-00002.bin`, writeTorchZip),
  safetensors: (path, tensors) => writeSafetensors(join(path, "model.safetensors"), tensors),
  "sharded safetensors": (path, tensors) =>
    writeShards(path, tensors, (n) => `model-0000${n}-of-00002.safetensors`, writeSafetensors),
};

const cases = Object.keys(layouts).flatMap((layout) =>
  Object.keys(containers).map((container) => [layout, container] as const),
);
it.each(cases)("%s as %s gives the same graphs", async (layout, container) => {
  const { change, config } = layouts[layout]!;
  const path = join(folder.path, `${layout} ${container}`);
  await mkdir(path);
  await copySideFiles(fused, path);
  if (config) await writeFile(join(path, "config.json"), JSON.stringify(config));
  const tensors = await readTensors(fused);
  change(tensors);
  await containers[container]!(path, tensors);

  expect(hashes(await convertWith(path))).toEqual(expected);
});

it("takes no layout for another: the same rows read in blocks are other weights", async () => {
  const path = join(folder.path, "mistaken");
  await mkdir(path);
  await copySideFiles(fused, path);
  await writeFile(join(path, "config.json"), JSON.stringify(layouts.blocks!.config));
  const tensors = await readTensors(fused);
  rename(tensors, microsoftName); // without moving any row
  await writeTorchZip(join(path, "pytorch_model.bin"), tensors);

  const mistaken = hashes(await convertWith(path));
  const changed = Object.keys(expected).filter((file) => mistaken[file] !== expected[file]);
  expect(changed.length).toBeGreaterThan(0);
  expect(changed.filter((file) => !file.startsWith("phi/"))).toEqual([]);
});

it("refuses a folder that mixes layouts", async () => {
  const path = join(folder.path, "mixed");
  await mkdir(path);
  await copySideFiles(fused, path);
  const tensors = await readTensors(fused);
  const separate = new Map(tensors);
  toSeparate(separate);
  await writeTorchZip(
    join(path, "pytorch_model.bin"),
    new Map([
      ...tensors,
      [
        "model.layers.0.self_attn.q_proj.weight",
        separate.get("model.layers.0.self_attn.q_proj.weight")!,
      ],
    ]),
  );
  await expect(convertWith(path)).rejects.toMatchObject({
    code: "layout",
    message: expect.stringContaining(
      "got model.layers.0.self_attn.query_key_value.weight and model.layers.0.self_attn.q_proj.weight",
    ),
  });
});

async function convertWith(phi: string): Promise<Manifest> {
  const { paths, settings } = await findSources(fixture("micro-stage4"), { phi });
  const out = join(folder.path, "model");
  return convert({ sources: paths, settings: settings!, out, replace: true });
}

/** sha256 of everything computed from weights. */
function hashes({ files }: Manifest): Record<string, string> {
  const graphs = files.filter(({ path }) => !path.startsWith("tokenizer/"));
  return Object.fromEntries(graphs.map(({ path, sha256 }) => [path, sha256]));
}

/** query_key_value -> q_proj, k_proj, v_proj */
function toSeparate(tensors: Tensors): void {
  for (const [name, tensor] of tensors) {
    const match = /^(.*)\.query_key_value\.(weight|bias)$/.exec(name);
    if (!match) continue;
    tensors.delete(name);
    for (const [j, part] of splitInterleaved(tensor.data).entries())
      tensors.set(`${match[1]}.${"qkv"[j]}_proj.${match[2]}`, {
        dtype: tensor.dtype,
        shape: [width, ...tensor.shape.slice(1)],
        data: part,
      });
  }
}

/** query_key_value -> Wqkv, and Microsoft's first names */
function toBlocks(tensors: Tensors): void {
  for (const [name, tensor] of tensors)
    if (name.includes("query_key_value"))
      tensors.set(name, {
        ...tensor,
        data: new Uint8Array(Buffer.concat(splitInterleaved(tensor.data))),
      });
  rename(tensors, microsoftName);
}

/** Rows of one head's q, k and v after the other's -> all of q, all of k, all of v. */
function splitInterleaved(data: Uint8Array): Uint8Array[] {
  const head = data.length / 3 / numHeads;
  return [0, 1, 2].map((j) => {
    const heads = Array.from({ length: numHeads }, (_, h) =>
      data.subarray((3 * h + j) * head, (3 * h + j + 1) * head),
    );
    return new Uint8Array(Buffer.concat(heads));
  });
}

function microsoftName(name: string): string {
  return name
    .replace("model.embed_tokens.", "transformer.embd.wte.")
    .replace(/^model\.layers\.(\d+)\./, "transformer.h.$1.")
    .replace("input_layernorm.", "ln.")
    .replace("self_attn.query_key_value.", "mixer.Wqkv.")
    .replace("self_attn.dense.", "mixer.out_proj.")
    .replace("lm_head.", "lm_head.linear.")
    .replace("model.final_layernorm.", "lm_head.ln.");
}

/** Every other tensor into each of two files, and their index. */
async function writeShards(
  path: string,
  tensors: Tensors,
  fileName: (n: number) => string,
  write: (path: string, tensors: Tensors) => Promise<void>,
): Promise<void> {
  const shards = [1, 2].map((n) => ({
    file: fileName(n),
    tensors: new Map([...tensors].filter((_, i) => i % 2 === n - 1)),
  }));
  for (const shard of shards) await write(join(path, shard.file), shard.tensors);
  const weight_map = Object.fromEntries(
    shards.flatMap(({ file, tensors: part }) => [...part.keys()].map((name) => [name, file])),
  );
  const index = fileName(1).endsWith(".bin") ? "pytorch_model.bin" : "model.safetensors";
  await writeFile(join(path, `${index}.index.json`), JSON.stringify({ metadata: {}, weight_map }));
}
