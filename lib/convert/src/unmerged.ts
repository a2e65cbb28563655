/** A checkpoint as it was trained: LoRA beside the weights that it changes, instead of in them. */
import { basename } from "node:path";
import type { ModelConfig } from "@tinygptv/model";
import type { Weight, Weights } from "@tinygptv/network";
import { collect, type PlanOptions } from "./convert.ts";
import { deriveConfig, settingsFor } from "./config.ts";
import { loraAlphaFor } from "./loraAlpha.ts";
import { missingError } from "./missing.ts";
import { createParameters } from "./parameters.ts";
import { fromInterleaved } from "./phiAttention.ts";
import { closeSources, detectPhiLayout, openSources } from "./sources.ts";
import { findTokenizer } from "./tokenizerFiles.ts";

/** Published files, opened to be trained. */
export interface UnmergedModel {
  readonly config: ModelConfig;
  /** Everything but LoRA, which is not in it. Throws code "layout" for what the files do not have. */
  readonly weights: Weights;
  /** Undefined where the stage file has none. */
  readonly lora: { readonly rank: number; readonly alpha: number } | undefined;
  /** `phi.layers.N.attention.{qkv,dense}.lora{A,B}`: A [rank,in], B [out,rank] in our order of rows. */
  readonly loraWeights: ReadonlyMap<string, Weight>;
  /** Closes the files; nothing can be loaded afterwards. */
  close(): Promise<void>;
}

/**
 * Opens the published files to go on training them.
 * Errors: as of `convert`.
 */
export async function openUnmerged(options: PlanOptions): Promise<UnmergedModel> {
  const sources = await openSources(options.sources);
  const close = () => closeSources(sources);
  try {
    const layout = detectPhiLayout(sources.phi);
    const catalog = collect(sources, layout, options.allowUnknown ?? false);
    const settings = await settingsFor(catalog, options.settings);
    const { phi: phiFolder, checkpoint } = options.sources;
    const tokenizer = await findTokenizer(phiFolder);
    const config = await deriveConfig(catalog, settings, phiFolder, tokenizer, options.imageSize);
    const alpha = loraAlphaFor(catalog, settings, basename(checkpoint));

    const loraWeights = new Map<string, Weight>();
    for (const [stored, weight] of Array.from(catalog)) {
      const match = /^(phi\.layers\.\d+\.attention)\.(interleaved|dense)\.(lora[AB])$/.exec(stored);
      if (!match) continue;
      catalog.delete(stored);
      const [, attention, part, matrix] = match;
      const isInterleaved = part === "interleaved";
      const name = `${attention}.${isInterleaved ? "qkv" : part}.${matrix}`;
      const isReordered = isInterleaved && matrix === "loraB";
      const ours = isReordered ? fromInterleaved(weight, config.phi.numHeads) : weight;
      loraWeights.set(name, { ...ours, name });
    }
    const first = [...loraWeights.values()].find(({ name }) => name.endsWith("loraA"));
    const parameters = createParameters(catalog, config, 0);
    return {
      config,
      weights(name, shape) {
        const weight = parameters.weights(name, shape);
        if (parameters.missing.length > 0) throw missingError(parameters.missing, layout);
        return weight;
      },
      lora: first && { rank: first.shape[0]!, alpha },
      loraWeights,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
