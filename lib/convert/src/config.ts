import { z } from "zod";
import { modelConfigSchema } from "@tinygptv/model";
import type { ModelConfig } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";
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
  { tokenizer, stop }: TokenizerFiles,
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
    phi: { ...declared, postNormEps: phi.post_layernorm_eps },
    tokens: { endOfText: tokenizer.endOfTextId, stop },
  };
  expectEqual("layer_norm_eps", phi.layer_norm_eps, declared.layerNormEps);
  for (const [token, id] of Object.entries(settings.tokens ?? {}))
    expectEqual(`token ${token}`, id, tokenizer.idOf(token));
  if (tokenizer.vocabularySize > declared.vocabSize)
    throw new TinyGptvError(
      "layout",
      `${phiFolder}: vocab_size: want more than ${tokenizer.vocabularySize - 1}, the tokenizer's largest id, got ${declared.vocabSize}: the tokenizer is of another model`,
      { subject: "vocab_size" },
    );
  expectMultiple("image size", config.vision.imageSize, "patch size", config.vision.patchSize);
  expectMultiple("vision width", config.vision.width, "number of heads", config.vision.numHeads);
  expectMultiple(
    "Q-Former width",
    config.qformer.width,
    "number of heads",
    config.qformer.numHeads,
  );
  const parsed = modelConfigSchema.safeParse(config);
  if (!parsed.success)
    throw new TinyGptvError("layout", `dimensions: ${z.prettifyError(parsed.error)}`);
  return config;
}

/** Of a weight that `requireDimensions` found. */
function shapeOf(catalog: Catalog, name: string, rank: number): readonly number[] {
  const weight = catalog.get(name)!;
  if (weight.shape.length !== rank)
    throw new TinyGptvError(
      "layout",
      `shape: ${weight.origin}: want ${rank} dimensions, got [${weight.shape}]`,
      { subject: name },
    );
  return weight.shape;
}

/** Where the settings repeat what the language model's folder says, both must be right. */
function expectEqual(what: string, settings: number | undefined, folder: number | undefined): void {
  if (settings !== undefined && settings !== folder)
    throw new TinyGptvError(
      "layout",
      `${what}: want ${settings} as the settings say, got ${folder ?? "none"} in the language-model folder`,
      { subject: what },
    );
}

function expectMultiple(what: string, value: number, of: string, unit: number): void {
  if (value % unit !== 0)
    throw new TinyGptvError(
      "layout",
      `${what}: want a multiple of ${unit}, the ${of}, got ${value}`,
    );
}
