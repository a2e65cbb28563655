/** The `preprocess` fixtures: pictures, and what Pillow and torchvision made of them. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { openSafetensors } from "../../../../convert/src/checkpoint/safetensors.ts";

const folder = new URL("../../../../../test/fixtures/preprocess/", import.meta.url);

const triple = z.tuple([z.number(), z.number(), z.number()]);
const schema = z.object({
  mean: triple,
  std: triple,
  images: z.array(
    z.object({
      file: z.string(),
      tensor_prefix: z.string(),
      width: z.number(),
      height: z.number(),
      sizes: z.array(z.number()),
      normalized: z.number().optional(),
    }),
  ),
});

export const golden = schema.parse(
  JSON.parse(await readFile(new URL("golden.json", folder), "utf8")),
);

const tensors = await openSafetensors(fileURLToPath(new URL("golden.safetensors", folder)));

export const goldenTensor = (name: string) => tensors.read(name);

export const goldenFile = (file: string) => readFile(new URL(file, folder));
