import { TinyGptvError } from "@tinygptv/protocol";
import type { Catalog } from "./catalog.ts";
import { publishedLora, type Settings } from "./settings.ts";

/**
 * The LoRA alpha of a stage file. It cannot be read off the weights, their rank
 * can: alpha is the settings' for this file and, where they do not name it, that
 * of a training with the same rank (theirs or the published one).
 * Errors: "layout" where the ranks are not the one the settings say, or where
 * nothing says which alpha belongs to the rank.
 */
export function loraAlphaFor(catalog: Catalog, { stages }: Settings, stageFile: string): number {
  const rank = loraRank(catalog, stageFile);
  const named = stages.find(({ file }) => file === stageFile);
  if (named && named.lora_r !== rank)
    throw new TinyGptvError(
      "layout",
      `${stageFile}: LoRA rank: want ${named.lora_r} as the settings say, got ${rank}${rank === 0 ? ", no LoRA matrices" : ""}; if that is right (merged weights have none), set "lora_r" of this file under "stages" in the settings to ${rank}`,
      { subject: "lora_r" },
    );
  // Without LoRA there is nothing to scale.
  if (rank === 0) return 0;
  const known = [...stages, { lora_r: publishedLora.rank, lora_alpha: publishedLora.alpha }];
  const alpha = (named ?? known.find(({ lora_r }) => lora_r === rank))?.lora_alpha;
  if (alpha === undefined || alpha === null)
    throw new TinyGptvError(
      "layout",
      `${stageFile}: LoRA alpha: want a number for rank ${rank}, got none; name the file with its lora_r and lora_alpha under "stages" in a settings file (--config)`,
      { subject: "lora_alpha" },
    );
  return alpha;
}

/** The rank all LoRA matrices of the stage file have; 0 without any. */
function loraRank(catalog: Catalog, stageFile: string): number {
  const matrices = [...catalog].filter(([name]) => name.endsWith(".loraA"));
  const ranks = new Set(matrices.map(([, { shape }]) => shape[0] ?? 0));
  if (ranks.size > 1)
    throw new TinyGptvError(
      "layout",
      `${stageFile}: LoRA rank: want one for all matrices, got ${[...ranks].join(", ")}`,
      { subject: "lora_r" },
    );
  const [rank = 0] = ranks;
  return rank;
}
