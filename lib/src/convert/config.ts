import type { ModelConfig } from "../config.ts";
import { TinyGptvError } from "../errors.ts";
import type { Catalog } from "./catalog.ts";
import { readPhiConfig } from "./phiConfig.ts";
import {
  publishedSettings,
  publishedVisionWidth,
  readSettings,
  type Settings,
} from "./settings.ts";
import type { TokenizerFiles } from "./tokenizerFiles.ts";

/** The settings file, or the published model's values where the weights have its width. */
export async function settingsFor(catalog: Catalog, path: string | undefined): Promise<Settings> {
  if (path) return readSettings(path);
  const width = shapeOf(catalog, "vision.classToken", 3)[2]!;
  if (width === publishedVisionWidth) return publishedSettings;
  throw new TinyGptvError(
    "layout",
    `vision transformer: want width ${publishedVisionWidth} as published, got ${width}; for other dimensions give a settings file (--config model.json)`,
  );
}

/**
 * All dimensions of the model: head counts, depths and epsilons from the
 * settings, the language model's from its config, everything else off the weights.
 */
export async function deriveConfig(
  catalog: Catalog,
  settings: Settings,
  phiFolder: string,
  tokenizer: TokenizerFiles,
  imageSize: number | undefined,
): Promise<ModelConfig> {
  const { vit, qformer, phi } = settings;
  const declared = await readPhiConfig(phiFolder);
  const config: ModelConfig = {
    vision: {
      imageSize: imageSize ?? vit.image_size,
      patchSize: vit.patch_size,
      width: shapeOf(catalog, "vision.classToken", 3)[2]!,
      depth: vit.depth,
      numHeads: vit.num_heads,
      mlpWidth: shapeOf(catalog, "vision.blocks.0.mlp.fc1.weight", 2)[0]!,
      normEps: vit.norm_eps,
      finalNormEps: settings.ln_vision_eps,
    },
    qformer: {
      width: shapeOf(catalog, "qformer.queryTokens", 3)[2]!,
      numLayers: qformer.num_layers,
      numHeads: qformer.num_heads,
      mlpWidth: shapeOf(catalog, "qformer.layers.0.mlp.fc1.weight", 2)[0]!,
      crossAttentionFrequency: qformer.cross_attention_freq,
      numQueryTokens: shapeOf(catalog, "qformer.queryTokens", 3)[1]!,
      layerNormEps: qformer.layer_norm_eps,
    },
    mapping: { width: shapeOf(catalog, "mapping.fc1.weight", 2)[0]! },
    phi: { ...declared, layerNormEps: declared.layerNormEps, postNormEps: phi.post_layernorm_eps },
    tokens: { endOfText: tokenizer.endOfText, stop: tokenizer.stop },
  };
  expectMultiple("image size", config.vision.imageSize, "patch size", config.vision.patchSize);
  expectMultiple("vision width", config.vision.width, "heads", config.vision.numHeads);
  expectMultiple("Q-Former width", config.qformer.width, "heads", config.qformer.numHeads);
  return config;
}

/** The LoRA alpha of a stage file, checked against the rank its matrices have. */
export function loraAlphaFor(
  catalog: Catalog,
  settings: Settings,
  stageFile: string,
  fallback: number,
): number {
  const entry = settings.stages.find(({ file }) => file === stageFile);
  const matrix = catalog.get("phi.layers.0.attention.interleaved.loraA");
  const rank = matrix?.shape[0] ?? 0;
  if (entry && entry.lora_r !== rank)
    throw new TinyGptvError(
      "layout",
      `${stageFile}: LoRA rank: want ${entry.lora_r} as the settings say, got ${rank}`,
    );
  return entry?.lora_alpha ?? fallback;
}

function shapeOf(catalog: Catalog, name: string, rank: number): readonly number[] {
  const weight = catalog.get(name);
  if (!weight)
    throw new TinyGptvError(
      "layout",
      `${name}: want a tensor, got none in any of the files${hintFor(name)}`,
      { subject: name },
    );
  if (weight.shape.length !== rank)
    throw new TinyGptvError(
      "layout",
      `shape: ${weight.origin}: want ${rank} dimensions, got [${weight.shape}]`,
      { subject: name },
    );
  return weight.shape;
}

/** What probably happened when a parameter of this kind is missing. */
export function hintFor(name: string): string {
  if (name.startsWith("mapping."))
    return ": the linear maps (llama_proj, llama_proj2) come from the stage file; the one given has none";
  if (/(query|key)Norm|postNorm/.test(name))
    return ": the query, key and post-attention norms come from the stage file (the language-model folder alone has none); the reference would go on with untrained ones";
  if (name.startsWith("vision.")) return ": from eva_vit_g.pth (ln_vision from the Q-Former file)";
  if (name.startsWith("qformer.")) return ": from blip2_pretrained_flant5xxl.pth";
  return "";
}

function expectMultiple(what: string, value: number, of: string, unit: number): void {
  if (value % unit !== 0)
    throw new TinyGptvError("layout", `${what}: want a multiple of ${unit} ${of}, got ${value}`);
}
