/** What a conversion refuses, and in which words; nothing is ever made then. */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { convert, type ConvertOptions } from "../../lib/convert/src/index.ts";
import type { SourcePaths } from "../../lib/convert/src/sources.ts";
import { PythonGlobal } from "../../lib/convert/src/checkpoint/writing/pickler.ts";
import { temporaryFolder } from "../support/converted.ts";
import { expectSound } from "../support/expectSound.ts";
import {
  editedSources,
  float32,
  rename,
  type Edits,
  type Tensors,
} from "../support/editedSources.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let count = 0;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

const nextPath = () => join(folder.path, String(count++));

interface Case extends Edits {
  what: string;
  says: string[];
  /** Other files in the places of the sources. */
  swap?: (sources: SourcePaths) => Partial<SourcePaths>;
  options?: Partial<ConvertOptions>;
  noSettings?: boolean;
  code?: string;
}

const without = (part: RegExp) => (tensors: Tensors) =>
  rename(tensors, (name) => (part.test(name) ? undefined : name));

/** Block 3, the spare one, once more under other numbers. */
const withBlocks =
  (...numbers: number[]) =>
  (tensors: Tensors) => {
    for (const [name, tensor] of tensors)
      for (const n of numbers)
        if (name.startsWith("blocks.3.")) tensors.set(name.replace("3", String(n)), tensor);
  };

/** A list in a list, and so on. */
const nested = (depth: number): unknown => (depth === 0 ? [] : [nested(depth - 1)]);

const cases: Case[] = [
  {
    what: "vision and Q-Former file swapped",
    swap: ({ vision, qformer }) => ({ vision: qformer, qformer: vision }),
    says: ["blip2_pretrained_flant5xxl.pth: want a vision transformer, got a Q-Former"],
  },
  {
    what: "the stage file as the Q-Former",
    swap: ({ checkpoint }) => ({ qformer: checkpoint }),
    says: ["TinyGPT-V_for_Stage4.pth: want a Q-Former, got a TinyGPT-V stage file"],
  },
  {
    what: "the vision file as the language model",
    swap: ({ vision }) => ({ phi: vision }),
    says: ["eva_vit_g.pth: want a Phi language model, got a vision transformer"],
  },
  {
    what: "the Q-Former as the stage file",
    swap: ({ qformer }) => ({ checkpoint: qformer }),
    says: ["want a TinyGPT-V stage file, got a Q-Former"],
  },
  {
    what: "something else as the vision file",
    vision: (all) => {
      all.clear();
      all.set("a", float32([1], Number)).set("b", float32([1], Number));
    },
    says: ["want a vision transformer, got none of the published files (2 tensors: a, b)"],
  },
  {
    what: "an unknown key in the vision file",
    vision: (all) => all.set("rel_pos_bias.table", float32([2], Number)),
    says: ["eva_vit_g.pth: want only keys", "rel_pos_bias.table", "--allow-unknown"],
  },
  {
    what: "an unknown key in the language-model folder",
    phi: (all) => all.set("model.layers.0.self_attn.gate", float32([2], Number)),
    says: ["phi-2: want only keys", "model.layers.0.self_attn.gate", "--allow-unknown"],
  },
  {
    what: "an unknown key in the stage file, whatever is allowed",
    checkpoint: (all) => all.set("extra", float32([2], Number)),
    options: { allowUnknown: true },
    says: ["TinyGPT-V_for_Stage4.pth: want only keys", "extra", "drop them in silence"],
  },
  {
    what: "fewer vision blocks than the settings say",
    vision: without(/^blocks\.[23]\./),
    says: ["13 are in none of the files: blocks.2.norm1.weight", "its depth is not the one"],
  },
  {
    what: "more vision blocks than the spare one",
    vision: withBlocks(4),
    says: ["want 3 vision blocks", "got 13 weights beyond: blocks.4.norm1.weight ("],
  },
  {
    what: "a vision file without embeddings",
    vision: without(/^(cls_token|pos_embed|patch_embed.*)$/),
    says: [
      "4 are in none of the files: cls_token, pos_embed, patch_embed.proj.weight, patch_embed.proj.bias",
    ],
  },
  {
    what: "a Q-Former file without ln_vision",
    qformer: without(/^ln_vision/),
    says: [
      "2 are in none of the files: ln_vision.weight, ln_vision.bias",
      "from the Q-Former file",
    ],
  },
  {
    what: "a Q-Former of fewer layers",
    qformer: without(/layer\.3\./),
    says: ["Qformer.bert.encoder.layer.3.attention.self.query.weight", "blip2_pretrained"],
  },
  {
    what: "a language model of fewer layers than its config says",
    config: (json) => (json.num_hidden_layers = 4),
    says: [
      "model.layers.3.self_attn.query_key_value.weight",
      "its config.json is of another model",
    ],
  },
  {
    what: "a language model of more layers than its config says",
    config: (json) => (json.num_hidden_layers = 2),
    says: ["2 language-model layers", "model.layers.2.input_layernorm.weight ("],
  },
  {
    what: "a linear map of another width",
    checkpoint: (all) => all.set("llama_proj.weight", float32([40, 48], Number)),
    says: ["shape: llama_proj.weight (", "want [40,36], got [40,48]"],
  },
  {
    what: "a linear map without dimensions",
    checkpoint: (all) => all.set("llama_proj.weight", float32([], Number)),
    says: ["shape: llama_proj.weight (", "want 2 dimensions, got []"],
  },
  {
    what: "token embeddings of another width",
    phi: (all) => all.set("model.embed_tokens.weight", float32([896, 81], Number)),
    says: ["shape: model.embed_tokens.weight (", "want [896,80], got [896,81]"],
  },
  {
    what: "a position embedding that is no square",
    vision: (all) => all.set("pos_embed", float32([1, 16, 48], Number)),
    says: ["shape: pos_embed (", "want [1, 1 + a square, width], got [1,16,48]"],
  },
  {
    what: "a position embedding of no grid",
    vision: (all) => all.set("pos_embed", float32([1, 1, 48], Number)),
    says: ["shape: pos_embed (", "got [1,1,48]"],
  },
  {
    what: "a position embedding of another width",
    vision: (all) => all.set("pos_embed", float32([1, 17, 47], Number)),
    says: ["shape: pos_embed (", "want [1,65,48], got [1,65,47]"],
  },
  {
    what: "heads that do not divide the language model's width",
    config: (json) => (json.num_attention_heads = 3),
    says: ["config.json: width 80 is not a multiple of 3 heads"],
  },
  {
    what: "fewer key-value heads than heads",
    config: (json) => (json.num_key_value_heads = 2),
    says: ["key-value heads: want 4, as many as heads, got 2"],
  },
  {
    what: "an odd number of rotary dimensions",
    config: (json) => (json.partial_rotary_factor = 0.25),
    says: ["rotary dimensions: want an even number from 2 to 20, got 5"],
  },
  {
    what: "no rotary dimensions",
    config: (json) => (json.partial_rotary_factor = 0.01),
    says: ["rotary dimensions: want an even number from 2 to 20, got 0"],
  },
  {
    what: "another activation",
    config: (json) => (json.hidden_act = "gelu"),
    says: ['config.json: hidden_act: want "gelu_new", got "gelu"'],
  },
  {
    what: "a rotary scaling that is not built",
    config: (json) => (json.rope_scaling = { type: "linear", factor: 2 }),
    says: ["config.json: rope_scaling", "default"],
  },
  {
    what: "a rotary scaling that is not built, in the form of transformers 5",
    config: (json) =>
      Object.assign(json, { rope_parameters: { rope_type: "yarn", rope_theta: 10_000 } }),
    says: ['config.json: rope_parameters.rope_type: want "default", got "yarn"'],
  },
  {
    what: "rotary settings that disagree",
    config: (json) => (json.rope_parameters = { partial_rotary_factor: 0.5 }),
    says: [
      "partial_rotary_factor: want 0.5 as rope_parameters.partial_rotary_factor says, got 0.4",
    ],
  },
  {
    what: "no rotary settings",
    config: (json) => delete json.partial_rotary_factor,
    says: ["partial_rotary_factor: want it, here or in rope_parameters, got nothing"],
  },
  ...[100_000, 2 ** 32, 1e300, 0, -1, 1.5].map((layers) => ({
    what: `${layers} layers in the config`,
    config: (json: Record<string, unknown>) => (json.num_hidden_layers = layers),
    says: ["config.json: num_hidden_layers: want ", `got ${layers}`],
  })),
  ...[
    "hidden_size",
    "num_attention_heads",
    "intermediate_size",
    "vocab_size",
    "max_position_embeddings",
  ].map((name) => ({
    what: `a ${name} beyond all bounds`,
    config: (json: Record<string, unknown>) => (json[name] = 2 ** 32),
    says: [`config.json: ${name}: want a whole number from 1 to `, "got 4294967296"],
  })),
  ...(
    [
      ["vit", "depth"],
      ["vit", "image_size"],
      ["qformer", "num_layers"],
      ["qformer", "cross_attention_freq"],
    ] as const
  ).map(([part, name]) => ({
    what: `a ${part}.${name} beyond all bounds`,
    settings: (json: Record<string, unknown>) =>
      Object.assign(json[part] as object, { [name]: 100_000 }),
    says: [`model.json: ${part}.${name}: want a whole number from 1 to `, "got 100000"],
  })),
  {
    what: "a picture beyond all bounds",
    options: { imageSize: 14_000_000 },
    says: ["imageSize"],
  },
  {
    what: "a config that nests deeply",
    config: (json) => (json.nested = nested(200)),
    says: ["config.json: want at most 64 levels of nesting"],
  },
  {
    what: "a name of 100 kB",
    checkpoint: (all) => all.set("x".repeat(100_000), float32([2], Number)),
    says: ["want only keys", "xxx…xxx"],
  },
  {
    what: "a name of control characters",
    checkpoint: (all) => all.set("\u001b[31m\n", float32([2], Number)),
    says: ['got 1 that fit nothing: "\\u001b[31m\\n"'],
  },
  {
    what: "a weight that is no tensor",
    checkpoint: (all) => all.delete("llama_proj.weight"),
    besides: { "llama_proj.weight": new PythonGlobal("numpy", "ndarray") },
    says: [
      "llama_proj.weight (",
      'want a tensor, got an object of "numpy.ndarray", which is not read',
    ],
  },
  {
    what: "a vocabulary that is smaller than the tokenizer",
    config: (json) => (json.vocab_size = 840),
    says: ["vocab_size: want more than 870, the tokenizer's largest id, got 840"],
  },
  {
    what: "another epsilon than the settings say",
    config: (json) => (json.layer_norm_eps = 1e-6),
    says: ["layer_norm_eps: want 0.00001 as the settings say, got 0.000001"],
  },
  {
    what: "an epsilon that is none",
    settings: (json) => ((json.vit as Record<string, unknown>).norm_eps = -1),
    says: ["model.json", "vit.norm_eps"],
  },
  {
    what: "another token id than the settings say",
    settings: (json) => (json.tokens = { "###": 5 }),
    says: ["token ###: want 5 as the settings say, got 819"],
  },
  {
    what: "heads that do not divide the vision width",
    settings: (json) => ((json.vit as Record<string, unknown>).num_heads = 5),
    says: ["vision width: want a multiple of 5, the number of heads, got 48"],
  },
  {
    what: "settings with unknown names",
    settings: (json) => Object.assign(json, { quantize: true }),
    says: ["model.json", "quantize: want one of name, "],
  },
  {
    what: "settings with a name no model can have",
    settings: (json) => Object.assign(json, { name: "My Model" }),
    says: ["model.json", "want up to 64 lower-case letters", "name"],
  },
  {
    what: "no settings for dimensions that are not the published ones",
    noSettings: true,
    says: ["vision transformer: want width 1408 as published, got 48", "--config model.json"],
  },
  {
    what: "a picture that is not whole patches",
    options: { imageSize: 113 },
    says: ["image size: want a multiple of 14, the patch size, got 113"],
  },
  { what: "a picture of no size", options: { imageSize: 0 }, says: ["vision.imageSize"] },
  {
    what: "a name no model can have",
    options: { name: "../x" },
    says: ["name: want up to 64 lower-case letters", 'got "../x"'],
    code: "parameter",
  },
  {
    what: "a folder without tokenizer",
    without: ["tokenizer.json", "merges.txt"],
    says: ["want a tokenizer (tokenizer.json, or vocab.json and merges.txt), got", "vocab.json"],
  },
  {
    what: "a folder without config",
    without: ["config.json"],
    says: ["config.json: want the language model's config"],
  },
];
it.each(cases)("refuses $what", async ({ says, swap, options, noSettings, code, ...edits }) => {
  const { sources, settings } = await editedSources(nextPath(), edits);
  const out = nextPath();
  const error: unknown = await convert({
    sources: { ...sources, ...swap?.(sources) },
    out,
    ...(noSettings ? {} : { settings }),
    ...options,
  }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: "TinyGptvError", code: code ?? "layout" });
  for (const part of says) expect((error as Error).message).toContain(part);
  expect((error as Error).message.length).toBeLessThan(3000);
  expect(existsSync(out)).toBe(false);
});

it.each([
  ["exactly the blocks it uses", without(/^blocks\.3\./)],
  ["one block more, as published", () => {}],
])("takes a vision file with %s", async (_, vision) => {
  const { sources, settings } = await editedSources(nextPath(), { vision });
  const { config } = await convert({ sources, settings, out: nextPath() });
  expect(config.vision.depth).toBe(3);
});

it("goes on over unknown keys where that is allowed", async () => {
  const { sources, settings } = await editedSources(nextPath(), {
    vision: (all) => all.set("rel_pos_bias.table", float32([2], Number)),
    qformer: (all) => all.set("Qformer.extra", float32([2], Number)),
  });
  const out = nextPath();
  await convert({ sources, settings, out, allowUnknown: true });
  await expectSound(out);
});

it("reads the rotary settings of transformers 5", async () => {
  const { sources, settings } = await editedSources(nextPath(), {
    config: (json) => {
      const { partial_rotary_factor, rope_theta, ...rest } = json;
      for (const name of Object.keys(json)) delete json[name];
      const rope = {
        rope_type: "default",
        partial_rotary_factor,
        rope_theta: rope_theta ?? 10_000,
      };
      Object.assign(json, rest, { rope_parameters: rope });
    },
  });
  const plain = await editedSources(nextPath(), {});
  const [five, four] = [
    await convert({ sources, settings, out: nextPath() }),
    await convert({ ...plain, out: nextPath() }),
  ];
  expect(five.config.phi).toEqual(four.config.phi);
});

/** Edits the tokenizer of a set, and gives what a conversion is given. */
async function withTokenizer(edit: (json: Record<string, unknown>) => void) {
  const { sources, settings } = await editedSources(nextPath(), { config: () => {} });
  const path = join(sources.phi, "tokenizer.json");
  const json = JSON.parse(await readFile(path, "utf8"));
  edit(json);
  await writeFile(path, JSON.stringify(json));
  return { sources, settings };
}

it.each<[string, (json: Record<string, unknown>) => void, string]>([
  [
    "without the token that ends an answer",
    (json) => {
      const tokens = json.added_tokens as { content: string }[];
      json.added_tokens = tokens.filter(({ content }) => content !== "###");
      const model = json.model as { vocab: Record<string, number>; merges: unknown[] };
      delete model.vocab["###"];
      model.merges = model.merges.filter((merge) => String(merge).replace(/[ ,]/, "") !== "###");
    },
    "want the token ###, got a vocabulary without it",
  ],
  [
    "that the runtime would refuse",
    (json) => (json.normalizer = { type: "NFC" }),
    "tokenizer.json: normalizer",
  ],
  [
    "with a merge that nests deeply",
    (json) => ((json.model as { merges: unknown[] }).merges[0] = nested(1000)),
    "tokenizer.json: want at most 64 levels of nesting",
  ],
  [
    "with a token of 100 kB",
    (json) =>
      (((json.model as { vocab: object }).vocab as Record<string, number>)["\u2020".repeat(1e5)] =
        5),
    "tokenizer",
  ],
])("refuses a tokenizer %s before anything is written", async (_, edit, problem) => {
  const out = nextPath();
  const error = await convert({ ...(await withTokenizer(edit)), out }).then(
    () => undefined,
    (reason: Error) => reason,
  );
  expect(error).toMatchObject({ name: "TinyGptvError", code: "layout" });
  expect(error!.message).toContain(problem);
  expect(error!.message.length).toBeLessThan(1000);
  expect(existsSync(out)).toBe(false);
});
