/** Golden data on disk: `golden*.json` with its tensors in `golden*.safetensors` beside it. */
import { dirname, join } from "node:path";
import { z } from "zod";
import { openSafetensors } from "@tinygptv/convert";
import { toFloat32 } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";
import { readText } from "@tinygptv/model/disk";
import { trainGoldenSchema } from "./trainGolden.ts";

const ids = z.array(z.number().int());
const prompt = z.looseObject({
  text: z.string(),
  images: z.array(z.number().int()),
  segment_ids: z.array(ids),
});
const generation = z.looseObject({
  kind: z.string(),
  prompt: z.number().int(),
  params: z.record(z.string(), z.unknown()),
  eos_token_id: z.union([z.number().int(), ids]).nullable(),
  tokens: z.array(ids),
  text: z.array(z.string()),
  sequences_scores: z.array(z.number()).optional(),
  id: z.number().optional(),
});
const batch = z.looseObject({
  images: z.array(z.number().int()),
  texts: z.array(z.string()),
  segment_ids: z.array(z.array(ids)).optional(),
  cases: z.array(
    z.looseObject({
      params: z.record(z.string(), z.unknown()),
      eos_token_id: z.number().int(),
      pad_token_id: z.number().int().optional(),
      tokens: z.array(ids),
      raw_sequences: z.array(ids),
      answers: z.array(z.string()),
    }),
  ),
});
const chat = z.looseObject({
  template: z.string(),
  image: z.number().int(),
  max_length: z.number().int(),
  stop_sequences: z.array(ids),
  generation: z.record(z.string(), z.unknown()),
  rounds: z.array(
    z.looseObject({
      ask: z.string(),
      prompt: z.string(),
      embeds_length: z.number().int(),
      tokens: ids,
      answer: z.string(),
    }),
  ),
});
const multiSelect = z.looseObject({
  image: z.number().int(),
  text: z.string(),
  candidates: z.array(z.string()),
  num_cand: ids.optional(),
  end_sym: z.string(),
  losses: z.array(z.number()),
  ranks: z.array(ids),
  ids: z.array(ids),
});

export const modelGoldenSchema = z.looseObject({
  uses: z.string().optional(),
  checkpoint: z.string(),
  prompts: z.array(prompt).optional(),
  forced_tokens: ids.optional(),
  batch: batch.optional(),
  generation: z.array(generation).optional(),
  chat: z.array(chat).optional(),
  processors: z
    .looseObject({
      history: z.array(ids),
      cases: z.array(
        z.looseObject({
          tensor: z.string(),
          steps: z.array(z.tuple([z.string(), z.number()])),
          eos_token_id: z.number().int(),
        }),
      ),
    })
    .optional(),
  multi_select: z.array(multiSelect).optional(),
  greedy_prompt0: z.looseObject({ max_new_tokens: z.number().int(), tokens: ids }).optional(),
  train: trainGoldenSchema.optional(),
});
export type ModelGolden = z.infer<typeof modelGoldenSchema>;

export const preprocessGoldenSchema = z.looseObject({
  images: z.array(
    z.looseObject({
      file: z.string(),
      tensor_prefix: z.string(),
      width: z.number().int(),
      height: z.number().int(),
      sizes: ids.default([]),
      normalized: z.number().int().nullish(),
    }),
  ),
});
export type PreprocessGolden = z.infer<typeof preprocessGoldenSchema>;

const decoded = {
  decoded: z.string(),
  decoded_keep_special: z.string(),
  decoded_raw: z.string(),
};
const padded = z.looseObject({
  texts: z.array(z.string()),
  input_ids: z.array(ids),
  attention_mask: z.array(ids),
});
export const tokenizerGoldenSchema = z.looseObject({
  encode: z.array(z.looseObject({ text: z.string(), ids, ...decoded })),
  decode: z.array(z.looseObject({ ids, ...decoded })),
  padding: z.looseObject({ right: padded, left: padded }).optional(),
  truncation: padded.extend({ max_length: z.number().int() }).optional(),
});
export type TokenizerGolden = z.infer<typeof tokenizerGoldenSchema>;

export type GoldenSet =
  | {
      kind: "model";
      golden: ModelGolden;
      folder: string;
      tensors: GoldenTensors;
      base: GoldenSet | undefined;
    }
  | { kind: "preprocess"; golden: PreprocessGolden; folder: string; tensors: GoldenTensors }
  | { kind: "tokenizer"; golden: TokenizerGolden; folder: string };

/** Tensors by name, as float32; undefined where the set does not have one. */
export interface GoldenTensors {
  get(name: string): Promise<Float32Array | undefined>;
  bytes(name: string): Promise<Uint8Array | undefined>;
  shape(name: string): readonly number[] | undefined;
  close(): Promise<void>;
}

/** Reads a golden file and says what kind of set it belongs to. Errors have code "model". */
export async function readGoldenSet(path: string): Promise<GoldenSet> {
  const json = await readJson(path);
  const folder = dirname(path);
  const keys = new Set(Object.keys(json));
  if (keys.has("encode") && keys.has("decode"))
    return { kind: "tokenizer", golden: parse(tokenizerGoldenSchema, json, path), folder };
  const tensors = await openTensors(path.replace(/\.json$/, ".safetensors"));
  if (keys.has("images") && !keys.has("checkpoint"))
    return {
      kind: "preprocess",
      golden: parse(preprocessGoldenSchema, json, path),
      folder,
      tensors,
    };
  const golden = parse(modelGoldenSchema, json, path);
  const basePath = baseOf(path, golden);
  const base = basePath && basePath !== path ? await readGoldenSet(basePath) : undefined;
  return { kind: "model", golden, folder, tensors, base };
}

export async function closeGoldenSet(set: GoldenSet): Promise<void> {
  if (set.kind === "tokenizer") return;
  await set.tensors.close();
  if (set.kind === "model" && set.base) await closeGoldenSet(set.base);
}

/** The set that has the pictures and prompts a smaller set leaves out. */
function baseOf(path: string, { uses }: ModelGolden): string {
  const other = uses === undefined ? undefined : /\bfrom ([\w.-]+)$/.exec(uses)?.[1];
  return other
    ? join(dirname(path), "..", other, "golden.json")
    : join(dirname(path), "golden.json");
}

async function readJson(path: string): Promise<object> {
  try {
    return JSON.parse(await readText(path)) as object;
  } catch (cause) {
    throw new TinyGptvError(
      "model",
      `${path}: want golden data (JSON), got ${(cause as Error).message}`,
      { cause },
    );
  }
}

function parse<T>(schema: z.ZodType<T>, json: object, path: string): T {
  const parsed = schema.safeParse(json);
  if (!parsed.success)
    throw new TinyGptvError("model", `${path}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

async function openTensors(path: string): Promise<GoldenTensors> {
  const source = await openSafetensors(path);
  const bytes = async (name: string) => (source.tensors.has(name) ? source.read(name) : undefined);
  return {
    bytes,
    async get(name) {
      const info = source.tensors.get(name);
      return info ? toFloat32((await bytes(name))!, info.dtype) : undefined;
    },
    shape: (name) => source.tensors.get(name)?.shape,
    close: () => source.close(),
  };
}
