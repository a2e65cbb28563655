/** Trained tensors as published files have them, and back: their names, their order of attention rows. */
import { fromInterleaved, stageKey, stageName, toInterleaved } from "@tinygptv/convert";
import { TinyGptvError } from "@tinygptv/protocol";
import type { Parameter } from "../parameter.ts";

/** A tensor under its key in a published file. */
export interface PublishedTensor {
  readonly key: string;
  /** Ours. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Whose rows are queries, keys and values of all heads with us, of one head after the other there. */
const isAttentionRows = (name: string) => /\.attention\.qkv\.(loraB|weight|bias)$/.test(name);

export const isLora = ({ name }: { name: string }) => /\.lora[AB]$/.test(name);

/**
 * As a stage file has them, in the order of the reference's modules, by which its
 * optimizer numbers them.
 * @param numHeads of the language model
 * @throws TinyGptvError "parameter" for a tensor that stage files have no name for
 */
export async function toPublished(
  parameters: readonly Parameter[],
  numHeads: number,
): Promise<PublishedTensor[]> {
  const hasLora = parameters.some(isLora);
  const published: PublishedTensor[] = [];
  for (const { name, shape, values } of parameters.toSorted(byModule)) {
    const key = stageKey(name, hasLora);
    if (key === undefined)
      throw new TinyGptvError(
        "parameter",
        `${name}: want a tensor that stage files have a name for, got none of theirs`,
        { subject: name },
      );
    const weight = { name, shape, load: async () => values };
    const ordered = isAttentionRows(name) ? toInterleaved(weight, numHeads) : weight;
    published.push({ key, name, shape, values: await ordered.load() });
  }
  return published;
}

/**
 * @param key of a stage file
 * @param origin where it stands, for messages
 * @returns undefined for a key that plays no part
 * @throws TinyGptvError "layout" for an unknown key
 */
export async function fromPublished(
  { key, shape, values }: Omit<PublishedTensor, "name">,
  numHeads: number,
  origin: string,
): Promise<Parameter | undefined> {
  const name = stageName(key);
  if (name === null) return undefined;
  if (name === undefined)
    throw new TinyGptvError(
      "layout",
      `${origin}: want a weight of a TinyGPT-V, got one that fits nothing`,
      { subject: key },
    );
  const weight = { name, shape, load: async () => values };
  const ordered = isAttentionRows(name) ? fromInterleaved(weight, numHeads) : weight;
  return { name, shape, values: await ordered.load() };
}

/** Within a layer of the language model, as its modules are made. */
const layerOrder = [
  "attention.qkv.loraA",
  "attention.qkv.loraB",
  "attention.dense.loraA",
  "attention.dense.loraB",
  "attention.queryNorm.weight",
  "attention.keyNorm.weight",
  "norm.weight",
  "postNorm.weight",
];

function byModule(a: Parameter, b: Parameter): number {
  const [left, right] = [placeOf(a.name), placeOf(b.name)];
  const differs = left.findIndex((place, i) => place !== right[i]);
  return differs < 0 ? 0 : left[differs]! - right[differs]!;
}

/** Part, layer, place in it; the language model is made first, the mapping last. */
function placeOf(name: string): number[] {
  const layer = /^phi\.layers\.(\d+)\.(.*)$/.exec(name);
  if (layer) return [0, Number(layer[1]), layerOrder.indexOf(layer[2]!)];
  const part = ["phi.", "qformer.", "mapping."].findIndex((prefix) => name.startsWith(prefix));
  return [part + 1, 0, 0];
}
