/**
 * From stored weights to the model's parameters: look-up with shape checks,
 * plus the few that are computed (attention order, LoRA, position embedding, defaults).
 */
import type { ModelConfig } from "@tinygptv/model";
import type { Weight, Weights } from "@tinygptv/network";
import type { Catalog, StoredWeight } from "./catalog.ts";
import { mergeLora } from "./lora.ts";
import { fromInterleaved, fromSeparate } from "./phiAttention.ts";
import { resizePositionEmbedding } from "./positionEmbedding.ts";
import { concatRows, filled } from "./rows.ts";
import { expectShape } from "./shape.ts";

export interface Parameters {
  /** For the model builders. A missing parameter is recorded, not thrown, so that all can be listed at once. */
  readonly weights: Weights;
  /** The same for a parameter that is read by row. */
  readonly stored: (name: string, shape: readonly number[]) => StoredWeight | undefined;
  /** Names asked for that no file holds. */
  readonly missing: readonly string[];
  /** Names some file holds that nobody asked for; meaningful once all graphs are built. */
  unused(): string[];
}

/** How one kind of parameter is computed from stored ones. */
interface Derivation {
  readonly pattern: RegExp;
  readonly derive: (name: string, shape: readonly number[], match: RegExpExecArray) => Weight;
}

export function createParameters(
  catalog: Catalog,
  config: ModelConfig,
  loraAlpha: number,
): Parameters {
  const used = new Set<string>();
  const missing: string[] = [];

  const find = (name: string): StoredWeight | undefined => {
    used.add(name);
    return catalog.get(name);
  };
  const stored = (name: string, shape: readonly number[]): Weight => {
    const weight = find(name);
    if (weight) return expectShape(weight, shape);
    missing.push(name);
    return filled(name, shape, 0);
  };
  /** @param reorder brings B's rows into the order of the base's */
  const withLora = (base: Weight, name: string, reorder = (b: Weight) => b): Weight => {
    const a = find(`${name}.loraA`);
    const b = find(`${name}.loraB`);
    if (!a && !b) return base;
    if (a && b) return mergeLora(base, { a, b: reorder(b), alpha: loraAlpha });
    missing.push(`${name}.lora${a ? "B" : "A"}`);
    return base;
  };

  const derivations: readonly Derivation[] = [
    {
      pattern: /^vision\.positionEmbedding$/,
      derive: (name, shape) => {
        const weight = find(name);
        const { imageSize, patchSize } = config.vision;
        if (!weight) return stored(name, shape);
        return expectShape(resizePositionEmbedding(weight, imageSize / patchSize), shape);
      },
    },
    {
      // Keys have no bias: (q_bias, zeros, v_bias).
      pattern: /^(vision\.blocks\.\d+\.attention)\.qkv\.bias$/,
      derive: (name, [rows], [, attention]) => {
        const shape = [rows! / 3];
        const zeros = filled(`${attention}.key.bias`, shape, 0);
        const query = stored(`${attention}.query.bias`, shape);
        return concatRows(name, [query, zeros, stored(`${attention}.value.bias`, shape)]);
      },
    },
    {
      pattern: /^(phi\.layers\.\d+\.attention)\.qkv\.(weight|bias)$/,
      derive: (name, shape, [, attention, part]) => {
        const base = phiQueryKeyValue(name, shape, attention!, part!);
        if (part === "bias") return base;
        // B's rows are in the fused order, whatever order the base came in.
        const reorder = (b: Weight) => fromInterleaved(b, config.phi.numHeads);
        return withLora(base, `${attention}.interleaved`, reorder);
      },
    },
    {
      pattern: /^(phi\.layers\.\d+\.attention\.dense)\.weight$/,
      derive: (name, shape, [, dense]) => withLora(stored(name, shape), dense!),
    },
    {
      // Only the norms' weights were trained; a bias in no file is the initial zero.
      pattern: /^phi\.layers\.\d+\.attention\.(query|key)Norm\.bias$/,
      derive: (name, shape) => (catalog.has(name) ? stored(name, shape) : filled(name, shape, 0)),
    },
  ];

  /** Whichever of the three layouts the files have; a stage file's fused matrix overrides the others. */
  const phiQueryKeyValue = (
    name: string,
    shape: readonly number[],
    attention: string,
    part: string,
  ): Weight => {
    const parts = ["query", "key", "value"].map((one) => `${attention}.${one}.${part}`);
    const interleaved = find(`${attention}.interleaved.${part}`);
    const blocks = find(name);
    const separate = parts.map(find);
    if (interleaved) return fromInterleaved(expectShape(interleaved, shape), config.phi.numHeads);
    if (blocks) return expectShape(blocks, shape);
    if (separate.every((weight) => weight === undefined)) return stored(name, shape);
    const third = [shape[0]! / 3, ...shape.slice(1)];
    const [query, key, value] = parts.map((one) => stored(one, third));
    return fromSeparate(name, query!, key!, value!);
  };

  return {
    weights: (name, shape) => {
      for (const { pattern, derive } of derivations) {
        const match = pattern.exec(name);
        if (match) return { ...derive(name, shape, match), name };
      }
      return stored(name, shape);
    },
    stored: (name, shape) => {
      const weight = find(name);
      if (weight) expectShape(weight, shape);
      else missing.push(name);
      return weight;
    },
    missing,
    unused: () => [...catalog.keys()].filter((name) => !used.has(name)),
  };
}
