/** What cannot be read off the weight files: `model.json`, or the published model's values. */
import { z } from "zod";
import { dimensions, epsilon, nameSchema, parseJsonFile } from "@tinygptv/model";
import { readText, whatWasRead } from "@tinygptv/model/disk";
import { TinyGptvError } from "@tinygptv/protocol";

const gelu = z.literal("gelu (erf)").optional();

export const settingsSchema = z.strictObject({
  name: nameSchema.optional(),
  /** Free text; not read. */
  note: z.string().optional(),
  /** The reference's class; both compute the same. */
  arch: z.enum(["minigpt4", "minigpt_v2"]).optional(),
  weights: z.enum(["trained", "random", "fixture"]).optional(),
  vit: z.strictObject({
    image_size: dimensions.imageSize,
    patch_size: dimensions.patchSize,
    num_heads: dimensions.heads,
    depth: dimensions.layers,
    norm_eps: epsilon,
    activation: gelu,
  }),
  ln_vision_eps: epsilon,
  qformer: z.strictObject({
    num_heads: dimensions.heads,
    num_layers: dimensions.layers,
    cross_attention_freq: dimensions.layers,
    layer_norm_eps: epsilon,
    activation: gelu,
  }),
  phi: z.strictObject({
    post_layernorm_eps: epsilon,
    /** The language model's config.json has it too; the two are compared. */
    layer_norm_eps: epsilon.optional(),
  }),
  /** LoRA rank and alpha of the stage files; rank 0 for a file without LoRA. */
  stages: z.array(
    z.strictObject({
      file: z.string(),
      lora_r: z.number().int().nonnegative(),
      lora_alpha: z.number().nullable(),
    }),
  ),
  /** Token -> id, compared with the tokenizer. */
  tokens: z.record(z.string(), z.number()).optional(),
});
export type Settings = z.infer<typeof settingsSchema>;

/** The published model's settings (reference `tinygptv_stage4_eval.yaml` and model classes). */
export const publishedSettings: Settings = {
  name: "tinygpt-v",
  weights: "trained",
  vit: { image_size: 448, patch_size: 14, num_heads: 16, depth: 39, norm_eps: 1e-6 },
  ln_vision_eps: 1e-5,
  qformer: { num_heads: 12, num_layers: 12, cross_attention_freq: 2, layer_norm_eps: 1e-12 },
  phi: { post_layernorm_eps: 1e-6 },
  stages: [],
};
/** Rank and alpha of all published stage files with LoRA. */
export const publishedLora = { rank: 64, alpha: 16 };
/** The published width of the vision transformer: another one needs settings of its own. */
export const publishedVisionWidth = 1408;

export async function readSettings(path: string): Promise<Settings> {
  const text = await readText(path).catch((cause: Error) => {
    throw new TinyGptvError("layout", `${path}: want a settings file, got ${whatWasRead(cause)}`, {
      cause,
    });
  });
  return parseJsonFile(text, path, settingsSchema, "layout");
}
