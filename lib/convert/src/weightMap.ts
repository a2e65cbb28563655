/**
 * Names of the checkpoints -> our names, as tables. `{n}` stands for a layer
 * number, `{p}` for weight or bias; both are carried over.
 * Source: the state dicts of the published files (docs/conversion.md lists them).
 */

export interface Rename {
  readonly from: string;
  /** Our name, or undefined for a key that is known to play no part. */
  readonly to: string | undefined;
}

const rename = (from: string, to: string): Rename => ({ from, to });
const ignore = (from: string): Rename => ({ from, to: undefined });

/** `eva_vit_g.pth` */
const visionFile: readonly Rename[] = [
  rename("cls_token", "vision.classToken"),
  rename("pos_embed", "vision.positionEmbedding"),
  rename("patch_embed.proj.{p}", "vision.patchEmbedding.{p}"),
  rename("blocks.{n}.norm1.{p}", "vision.blocks.{n}.norm1.{p}"),
  rename("blocks.{n}.attn.qkv.weight", "vision.blocks.{n}.attention.qkv.weight"),
  rename("blocks.{n}.attn.q_bias", "vision.blocks.{n}.attention.query.bias"),
  rename("blocks.{n}.attn.v_bias", "vision.blocks.{n}.attention.value.bias"),
  rename("blocks.{n}.attn.proj.{p}", "vision.blocks.{n}.attention.proj.{p}"),
  rename("blocks.{n}.norm2.{p}", "vision.blocks.{n}.norm2.{p}"),
  rename("blocks.{n}.mlp.fc1.{p}", "vision.blocks.{n}.mlp.fc1.{p}"),
  rename("blocks.{n}.mlp.fc2.{p}", "vision.blocks.{n}.mlp.fc2.{p}"),
  // The full EVA model's classifier and final norm; the reference builds neither.
  ignore("norm.{p}"),
  ignore("fc_norm.{p}"),
  ignore("head.{p}"),
];

/** `blip2_pretrained_flant5xxl.pth` */
const qformerFile: readonly Rename[] = [
  rename("query_tokens", "qformer.queryTokens"),
  rename("ln_vision.{p}", "vision.norm.{p}"),
  rename("Qformer.bert.embeddings.LayerNorm.{p}", "qformer.norm.{p}"),
  ...attentionRenames("attention", "attention"),
  ...attentionRenames("crossattention", "crossAttention"),
  rename(
    "Qformer.bert.encoder.layer.{n}.intermediate_query.dense.{p}",
    "qformer.layers.{n}.mlp.fc1.{p}",
  ),
  rename("Qformer.bert.encoder.layer.{n}.output_query.dense.{p}", "qformer.layers.{n}.mlp.fc2.{p}"),
  rename(
    "Qformer.bert.encoder.layer.{n}.output_query.LayerNorm.{p}",
    "qformer.layers.{n}.mlp.norm.{p}",
  ),
  // A buffer without effect, the text branch, and the projection to another language model.
  ignore("Qformer.bert.embeddings.position_ids"),
  ignore("Qformer.bert.embeddings.word_embeddings.weight"),
  ignore("Qformer.bert.embeddings.position_embeddings.weight"),
  ignore("Qformer.bert.encoder.layer.{n}.intermediate.dense.{p}"),
  ignore("Qformer.bert.encoder.layer.{n}.output.dense.{p}"),
  ignore("Qformer.bert.encoder.layer.{n}.output.LayerNorm.{p}"),
  ignore("Qformer.cls.predictions.bias"),
  ignore("Qformer.cls.predictions.transform.dense.{p}"),
  ignore("Qformer.cls.predictions.transform.LayerNorm.{p}"),
  ignore("Qformer.cls.predictions.decoder.{p}"),
  ignore("t5_proj.{p}"),
];

function attentionRenames(theirs: string, ours: string): Rename[] {
  const from = `Qformer.bert.encoder.layer.{n}.${theirs}`;
  const to = `qformer.layers.{n}.${ours}`;
  return [
    rename(`${from}.self.query.{p}`, `${to}.query.{p}`),
    rename(`${from}.self.key.{p}`, `${to}.key.{p}`),
    rename(`${from}.self.value.{p}`, `${to}.value.{p}`),
    rename(`${from}.output.dense.{p}`, `${to}.output.{p}`),
    rename(`${from}.output.LayerNorm.{p}`, `${to}.norm.{p}`),
  ];
}

/** What the two later layouts of the language-model folder have in common. */
const phiCommon: readonly Rename[] = [
  rename("model.embed_tokens.weight", "phi.embedding.weight"),
  rename("model.layers.{n}.input_layernorm.{p}", "phi.layers.{n}.norm.{p}"),
  rename("model.layers.{n}.self_attn.q_layernorm.{p}", "phi.layers.{n}.attention.queryNorm.{p}"),
  rename("model.layers.{n}.self_attn.k_layernorm.{p}", "phi.layers.{n}.attention.keyNorm.{p}"),
  rename("model.layers.{n}.self_attn.dense.{p}", "phi.layers.{n}.attention.dense.{p}"),
  rename("model.layers.{n}.post_layernorm.weight", "phi.layers.{n}.postNorm.weight"),
  rename("model.layers.{n}.mlp.fc1.{p}", "phi.layers.{n}.mlp.fc1.{p}"),
  rename("model.layers.{n}.mlp.fc2.{p}", "phi.layers.{n}.mlp.fc2.{p}"),
  rename("model.final_layernorm.{p}", "phi.norm.{p}"),
  rename("lm_head.{p}", "phi.head.{p}"),
  // Rotary frequencies, which some savers store though they follow from the config.
  ignore("model.layers.{n}.self_attn.rotary_emb.inv_freq"),
];

/**
 * The three public layouts of Phi-2. The key that tells them apart is the
 * attention's: its rows are ordered differently in each (see phiAttention.ts).
 */
export const phiLayouts = {
  /** The one TinyGPT-V was trained on: q, k, v of one head after the other. */
  fused: {
    marker: "model.layers.0.self_attn.query_key_value.weight",
    table: [
      ...phiCommon,
      rename(
        "model.layers.{n}.self_attn.query_key_value.{p}",
        "phi.layers.{n}.attention.interleaved.{p}",
      ),
    ],
  },
  /** Today's upstream Phi-2: three matrices. */
  separate: {
    marker: "model.layers.0.self_attn.q_proj.weight",
    table: [
      ...phiCommon,
      rename("model.layers.{n}.self_attn.q_proj.{p}", "phi.layers.{n}.attention.query.{p}"),
      rename("model.layers.{n}.self_attn.k_proj.{p}", "phi.layers.{n}.attention.key.{p}"),
      rename("model.layers.{n}.self_attn.v_proj.{p}", "phi.layers.{n}.attention.value.{p}"),
    ],
  },
  /** Microsoft's first publication: all of q, then all of k, then all of v. */
  blocks: {
    marker: "transformer.h.0.mixer.Wqkv.weight",
    table: [
      rename("transformer.embd.wte.weight", "phi.embedding.weight"),
      rename("transformer.h.{n}.ln.{p}", "phi.layers.{n}.norm.{p}"),
      rename("transformer.h.{n}.mixer.Wqkv.{p}", "phi.layers.{n}.attention.qkv.{p}"),
      rename("transformer.h.{n}.mixer.out_proj.{p}", "phi.layers.{n}.attention.dense.{p}"),
      rename("transformer.h.{n}.mlp.fc1.{p}", "phi.layers.{n}.mlp.fc1.{p}"),
      rename("transformer.h.{n}.mlp.fc2.{p}", "phi.layers.{n}.mlp.fc2.{p}"),
      rename("lm_head.ln.{p}", "phi.norm.{p}"),
      rename("lm_head.linear.{p}", "phi.head.{p}"),
      ignore("transformer.h.{n}.mixer.rotary_emb.inv_freq"),
    ],
  },
} as const satisfies Record<string, { marker: string; table: readonly Rename[] }>;

export type PhiLayout = keyof typeof phiLayouts;

const mappingTable: readonly Rename[] = [
  rename("llama_proj.{p}", "mapping.fc1.{p}"),
  rename("llama_proj2.{p}", "mapping.fc2.{p}"),
];

/**
 * `TinyGPT-V_for_StageN.pth`: the mapping, the language model's norms and LoRA,
 * and whatever else was trained; any weight of the other files may be overridden.
 * Language-model keys are in the fused layout, behind one of these prefixes.
 */
const stagePrefixes = { lora: "llama_model.base_model.model.", plain: "llama_model." };
const besideLanguageModel: readonly Rename[] = [
  ...mappingTable,
  ...qformerFile,
  ...prefixed("visual_encoder.", visionFile),
];
const stageFile: readonly Rename[] = [
  ...besideLanguageModel,
  ...Object.values(stagePrefixes).flatMap(languageModelRenames),
];

function languageModelRenames(prefix: string): Rename[] {
  return [
    ...prefixed(prefix, phiLayouts.fused.table),
    // peft 0.2.0 writes `lora_A.weight`, later versions `lora_A.default.weight`
    // and the wrapped matrix itself under `base_layer`.
    ...["lora_A.", "lora_A.default."].flatMap((key) => loraRenames(prefix, key, "loraA")),
    ...["lora_B.", "lora_B.default."].flatMap((key) => loraRenames(prefix, key, "loraB")),
    rename(
      `${prefix}model.layers.{n}.self_attn.query_key_value.base_layer.{p}`,
      "phi.layers.{n}.attention.interleaved.{p}",
    ),
    rename(
      `${prefix}model.layers.{n}.self_attn.dense.base_layer.{p}`,
      "phi.layers.{n}.attention.dense.{p}",
    ),
  ];
}

function loraRenames(prefix: string, key: string, ours: string): Rename[] {
  const layer = `${prefix}model.layers.{n}.self_attn`;
  return [
    rename(`${layer}.query_key_value.${key}weight`, `phi.layers.{n}.attention.interleaved.${ours}`),
    rename(`${layer}.dense.${key}weight`, `phi.layers.{n}.attention.dense.${ours}`),
  ];
}

function prefixed(prefix: string, table: readonly Rename[]): Rename[] {
  return table.map(({ from, to }) => ({ from: prefix + from, to }));
}

/** The four parts a TinyGPT-V is published in, and the table of each. */
export const sourceTables = {
  vision: visionFile,
  qformer: qformerFile,
  checkpoint: stageFile,
} as const;

/** Our names of the parts that are not the language model, for layer `n`. */
export function ourNames(n: number): string[] {
  return [...visionFile, ...qformerFile, ...mappingTable]
    .flatMap(({ to }) =>
      to === undefined ? [] : parts.map((p) => to.replace("{n}", String(n)).replace("{p}", p)),
    )
    .filter((name, i, all) => all.indexOf(name) === i);
}

/** What `{p}` stands for. */
const parts = ["weight", "bias"] as const;

/** Where a layout has the query-key-value matrix that we call `attention.qkv`. */
const attentionNames: Record<PhiLayout, string> = {
  fused: "attention.interleaved",
  separate: "attention.query",
  blocks: "attention.qkv",
};

/** The key of a published file for a parameter by our name, as a message has it. */
export function publishedKey(name: string, layout: PhiLayout): string {
  const stored = name.replace(/^(phi\..*)attention\.qkv/, `$1${attentionNames[layout]}`);
  const tables = [
    ...visionFile,
    ...qformerFile,
    ...mappingTable,
    ...phiLayouts[layout].table,
    ...phiLayouts.fused.table,
    ...loraRenames("", "lora_A.", "loraA"),
    ...loraRenames("", "lora_B.", "loraB"),
  ];
  return keyOf(stored, tables) ?? name;
}

/**
 * The key of a stage file for a tensor by our name; undefined where stage files have none for it.
 * @param hasLora whether the model has LoRA, which wraps the language model and so is in all of its names
 */
export function stageKey(name: string, hasLora: boolean): string | undefined {
  const stored = name.replace(/^(phi\..*)attention\.qkv/, `$1${attentionNames.fused}`);
  const prefix = stagePrefixes[hasLora ? "lora" : "plain"];
  return keyOf(stored, [...besideLanguageModel, ...languageModelRenames(prefix)]);
}

/** Our name of a stage file's key; null for one that is known to play no part, undefined for an unknown one. */
export function stageName(key: string): string | null | undefined {
  const name = ourStageName(key);
  return typeof name === "string" ? name.replace(attentionNames.fused, "attention.qkv") : name;
}

const ourStageName = compile(stageFile);

function keyOf(stored: string, table: readonly Rename[]): string | undefined {
  for (const { from, to } of table) {
    const match = to === undefined ? undefined : matcher(to).exec(stored);
    if (match) return fillIn(from, match);
  }
  return undefined;
}

/**
 * Compiles a table into a look-up.
 * @returns our name; null for a key that is known to play no part; undefined for an unknown key
 */
export function compile(table: readonly Rename[]): (key: string) => string | null | undefined {
  const rules = table.map(({ from, to }) => ({ pattern: matcher(from), to }));
  return (key) => {
    for (const { pattern, to } of rules) {
      const match = pattern.exec(key);
      if (match) return to === undefined ? null : fillIn(to, match);
    }
    return undefined;
  };
}

/** Matches the names that a side of a rule stands for. */
function matcher(template: string): RegExp {
  const pattern = template
    .replaceAll(".", "\\.")
    .replace("{n}", "(?<n>\\d{1,4})")
    .replace("{p}", `(?<p>${parts.join("|")})`);
  return new RegExp(`^${pattern}$`);
}

/** The other side of the rule that matched. */
function fillIn(template: string, { groups }: RegExpExecArray): string {
  return template.replace("{n}", groups?.n ?? "").replace("{p}", groups?.p ?? "");
}
