/** What a conversion lacks, named as in the published files, and what probably happened. */
import { TinyGptvError } from "@tinygptv/protocol";
import { shown } from "./checkpoint/untrusted.ts";
import type { Catalog } from "./catalog.ts";
import { ourNames, publishedKey, type PhiLayout } from "./weightMap.ts";

interface Hint {
  readonly names: RegExp;
  readonly hint: string;
}

/** The first that matches a name counts. */
const hints: readonly Hint[] = [
  {
    names: /^mapping\./,
    hint: "the linear maps (llama_proj, llama_proj2) come from the stage file, and the reference would go on with random ones: is this the stage file, or only its optimizer's or LoRA part?",
  },
  {
    names: /\.lora[AB]$/,
    hint: "a LoRA update needs both matrices, lora_A and lora_B: the stage file was saved in part",
  },
  {
    names: /(queryNorm|keyNorm|postNorm)\./,
    hint: "the query, key and post-attention norms come from the stage file, since the language-model folder alone has none, and the reference would go on with untrained ones: the stage file may be of another model or of fewer layers",
  },
  {
    names: /^vision\.norm\./,
    hint: "ln_vision comes from the Q-Former file, blip2_pretrained_flant5xxl.pth",
  },
  {
    names: /^vision\./,
    hint: "the vision transformer comes from eva_vit_g.pth: the file is cut or its depth is not the one in the settings",
  },
  {
    names: /^qformer\./,
    hint: "the Q-Former comes from blip2_pretrained_flant5xxl.pth: the file is another one or its layers are not those in the settings",
  },
  {
    names: /^phi\./,
    hint: "the language model comes from its folder: a shard is missing or its config.json is of another model",
  },
];

/** The error for parameters that are in none of the files. */
export function missingError(names: readonly string[], layout: PhiLayout): TinyGptvError {
  const keys = names.map((name) => publishedKey(name, layout));
  const what = names.map((name) => hints.find((hint) => hint.names.test(name))?.hint);
  const distinct = [...new Set(what)].filter((hint) => hint !== undefined);
  return new TinyGptvError(
    "layout",
    `want all weights of a TinyGPT-V, ${keys.length} are in none of the files: ${list(keys)} (${distinct.join("; ")})`,
    { subject: keys[0]! },
  );
}

/** Weights whose shapes give the model's dimensions; without them nothing else can be checked. */
const dimensionGivers = [
  "vision.classToken",
  "vision.blocks.0.mlp.fc1.weight",
  "qformer.queryTokens",
  "qformer.layers.0.mlp.fc1.weight",
  "mapping.fc1.weight",
];

/** Refuses files without the weights that give the dimensions; lists everything of those parts that is missing. */
export function requireDimensions(catalog: Catalog, layout: PhiLayout): void {
  const parts = dimensionGivers.filter((name) => !catalog.has(name)).map((name) => partOf(name));
  const missing = ourNames(0).filter((name) => parts.includes(partOf(name)) && !catalog.has(name));
  if (missing.length > 0) throw missingError(missing, layout);
}

const partOf = (name: string) => name.slice(0, name.indexOf("."));

/** Names for a message, the first twenty of them. */
export function list(names: readonly string[]): string {
  const some = names.slice(0, 20).map(shown).join(", ");
  return names.length > 20 ? `${some} and ${names.length - 20} more` : some;
}
