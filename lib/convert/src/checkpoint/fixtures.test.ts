import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { byteLength, toFloat32 } from "@tinygptv/model";
import { openWeights } from "./folder.ts";
import type { WeightSource } from "./weightSource.ts";

const repository = (path: string) => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));
const fixture = (path: string) => repository(`test/fixtures/${path}`);

async function withWeights<T>(path: string, use: (source: WeightSource) => Promise<T>): Promise<T> {
  const source = await openWeights(path);
  try {
    return await use(source);
  } finally {
    await source.close();
  }
}

/** Reads every tensor, and holds it to its shape. */
async function readAll(source: WeightSource): Promise<void> {
  for (const { name, dtype, shape } of source.tensors.values()) {
    expect((await source.read(name)).length).toBe(byteLength(dtype, shape));
  }
}

// Dimensions as in test/fixtures/README.md.
test.each([
  ["micro-stage4/TinyGPT-V_for_Stage4.pth", 30, { "llama_proj2.weight": ["float32", 80, 40] }],
  ["micro-stage4/blip2_pretrained_flant5xxl.pth", 118, { query_tokens: ["float32", 1, 8, 36] }],
  ["micro-stage4/eva_vit_g.pth", 60, { pos_embed: ["float16", 1, 17, 48] }],
  ["micro-stage4/phi-2", 50, { "lm_head.weight": ["float16", 896, 80] }],
  ["micro-stage4/phi-2-bin", 35, { "lm_head.weight": ["float16", 896, 80] }],
  ["micro-stage4-qformer/TinyGPT-V_for_Stage4.pth", 117, { query_tokens: ["float32", 1, 8, 36] }],
  ["micro-stage3/TinyGPT-V_for_Stage1.pth", 18, { "llama_proj.weight": ["float32", 44, 40] }],
  ["micro-stage3/TinyGPT-V_for_Stage3.pth", 30, { "llama_proj.weight": ["float32", 44, 40] }],
  [
    "micro-stage3/blip2_pretrained_flant5xxl.pth",
    92,
    { "Qformer.bert.embeddings.position_ids": ["int64", 1, 512] },
  ],
  ["micro-stage3/eva_vit_g.pth", 73, { "patch_embed.proj.weight": ["float16", 42, 3, 14, 14] }],
  ["micro-stage3/phi-2", 47, { "lm_head.weight": ["float16", 896, 96] }],
])("reads all of %s", async (path, count, wanted) => {
  await withWeights(fixture(path), async (source) => {
    expect(source.tensors.size).toBe(count);
    for (const [name, typeAndShape] of Object.entries(wanted)) {
      const { dtype, shape } = source.tensors.get(name)!;
      expect([dtype, ...shape]).toEqual(typeAndShape);
    }
    await readAll(source);
  });
});

test.each(["TinyGPT-V_for_Stage4.pth", "blip2_pretrained_flant5xxl.pth", "eva_vit_g.pth", "phi-2"])(
  "reads all of nano's %s",
  async (name) => {
    await withWeights(repository(`models/nano/checkpoint/${name}`), async (source) => {
      expect(source.tensors.size).toBeGreaterThan(0);
      await readAll(source);
    });
  },
);

test("both copies of the micro-stage4 language model hold the same weights", async () => {
  await withWeights(fixture("micro-stage4/phi-2"), (shards) =>
    withWeights(fixture("micro-stage4/phi-2-bin"), async (single) => {
      const shared = [...single.tensors.keys()].filter((name) => shards.tensors.has(name));
      expect(shared).toHaveLength(single.tensors.size);
      for (const name of shared) {
        expect(single.tensors.get(name)!.shape).toEqual(shards.tensors.get(name)!.shape);
        expect({ name, bytes: await single.read(name) }).toEqual({
          name,
          bytes: await shards.read(name),
        });
      }
    }),
  );
});

test("rows read alone are those of the whole tensor", async () => {
  for (const path of ["micro-stage4/phi-2", "micro-stage4/phi-2-bin"]) {
    await withWeights(fixture(path), async (source) => {
      const [name] = [...source.tensors.keys()].filter((key) => key.includes("embed")) as [string];
      const whole = await source.read(name);
      const rowBytes = whole.length / source.tensors.get(name)!.shape[0]!;
      const rows = await source.read(name, { start: 100, end: 103 });
      expect(rows).toEqual(whole.slice(100 * rowBytes, 103 * rowBytes));
    });
  }
});

test("values are those that the reference loaded", async () => {
  const stored = await withWeights(fixture("micro-stage3/eva_vit_g.pth"), (source) =>
    source.read("pos_embed"),
  );
  const loaded = await withWeights(fixture("micro-stage3/golden.safetensors"), (source) =>
    source.read("vit.pos_embed"),
  );
  expect(toFloat32(stored, "float16")).toEqual(toFloat32(loaded, "float32"));
});
