/** `config.json` of a language-model folder, in both spellings that exist. */
import { join } from "node:path";
import { z } from "zod";
import { dimensions, parseJsonFile } from "@tinygptv/model";
import { readText, whatWasRead } from "@tinygptv/model/disk";
import type { PhiConfig } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";

const fraction = z.number().positive().max(1);
const base = z.number().positive();
const defaultRotary = 10_000;

/** Says that rotary positions are as they are without any scaling. */
const noScaling = z.strictObject({
  rope_type: z.literal("default").optional(),
  type: z.literal("default").optional(),
});

/** What transformers 5 keeps together, the earlier versions beside each other. */
const ropeParameters = noScaling.extend({
  rope_theta: base.optional(),
  partial_rotary_factor: fraction.optional(),
});

/** transformers' own Phi configuration (fused and separate layouts). */
const transformersConfig = z
  .looseObject({
    hidden_size: dimensions.width,
    num_hidden_layers: dimensions.layers,
    num_attention_heads: dimensions.heads,
    num_key_value_heads: dimensions.heads.nullish(),
    intermediate_size: dimensions.mlpWidth,
    vocab_size: dimensions.vocabulary,
    partial_rotary_factor: fraction.optional(),
    rope_theta: base.optional(),
    rope_parameters: ropeParameters.optional(),
    rope_scaling: noScaling.nullish(),
    layer_norm_eps: z.number().positive(),
    max_position_embeddings: dimensions.context,
    hidden_act: z.literal("gelu_new"),
    tie_word_embeddings: z.literal(false).optional(),
  })
  .transform((config, context) => {
    const { rope_parameters: rope = {} } = config;
    const either = (name: "rope_theta" | "partial_rotary_factor", otherwise?: number): number => {
      const [outside, inside] = [config[name], rope[name]];
      const complain = (message: string) =>
        context.addIssue({ code: "custom", path: [name], message });
      if (outside !== undefined && inside !== undefined && outside !== inside)
        complain(`want ${inside} as rope_parameters.${name} says`);
      const value = outside ?? inside ?? otherwise;
      if (value === undefined) complain("want it, here or in rope_parameters");
      return value ?? 1;
    };
    const headDim = config.hidden_size / config.num_attention_heads;
    return {
      width: config.hidden_size,
      numLayers: config.num_hidden_layers,
      numHeads: config.num_attention_heads,
      numKeyValueHeads: config.num_key_value_heads ?? config.num_attention_heads,
      mlpWidth: config.intermediate_size,
      vocabSize: config.vocab_size,
      rotaryDim: Math.trunc(either("partial_rotary_factor") * headDim),
      ropeTheta: either("rope_theta", defaultRotary),
      layerNormEps: config.layer_norm_eps,
      contextLength: config.max_position_embeddings,
    };
  });

/** Microsoft's first publication (blocks layout). */
const microsoftConfig = z
  .looseObject({
    n_embd: dimensions.width,
    n_layer: dimensions.layers,
    n_head: dimensions.heads,
    n_head_kv: dimensions.heads.nullish(),
    n_inner: dimensions.mlpWidth.nullish(),
    vocab_size: dimensions.vocabulary,
    rotary_dim: dimensions.width,
    layer_norm_epsilon: z.number().positive(),
    n_positions: dimensions.context,
    activation_function: z.literal("gelu_new"),
  })
  .transform((config) => ({
    width: config.n_embd,
    numLayers: config.n_layer,
    numHeads: config.n_head,
    numKeyValueHeads: config.n_head_kv ?? config.n_head,
    mlpWidth: config.n_inner ?? 4 * config.n_embd,
    vocabSize: config.vocab_size,
    rotaryDim: config.rotary_dim,
    ropeTheta: defaultRotary,
    layerNormEps: config.layer_norm_epsilon,
    contextLength: config.n_positions,
  }));

/** The dimensions the folder declares; the weights are checked against them later. */
export async function readPhiConfig(folder: string): Promise<Omit<PhiConfig, "postNormEps">> {
  const path = join(folder, "config.json");
  const text = await readText(path).catch((cause: Error) => {
    throw new TinyGptvError(
      "layout",
      `${path}: want the language model's config, got ${whatWasRead(cause)}`,
      { cause },
    );
  });
  const raw = parseJsonFile(text, path, z.looseObject({}), "layout");
  const schema = "n_embd" in raw ? microsoftConfig : transformersConfig;
  const { numKeyValueHeads, ...config } = parseJsonFile(text, path, schema, "layout");
  const headDim = config.width / config.numHeads;
  if (numKeyValueHeads !== config.numHeads)
    throw new TinyGptvError(
      "layout",
      `${path}: key-value heads: want ${config.numHeads}, as many as heads, got ${numKeyValueHeads}`,
    );
  if (!Number.isInteger(headDim))
    throw new TinyGptvError(
      "layout",
      `${path}: width ${config.width} is not a multiple of ${config.numHeads} heads`,
    );
  if (config.rotaryDim < 2 || config.rotaryDim % 2 !== 0 || config.rotaryDim > headDim)
    throw new TinyGptvError(
      "layout",
      `${path}: rotary dimensions: want an even number from 2 to ${headDim}, got ${config.rotaryDim}`,
    );
  return { ...config, headDim };
}
