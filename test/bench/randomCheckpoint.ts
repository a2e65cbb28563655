/**
 * A TinyGPT-V of the published dimensions with random weights, in the published
 * files and formats: what speed, memory and conversion are measured on, since
 * they do not depend on what the weights are. Streams; 12 GB at full depth.
 *
 *   node test/bench/randomCheckpoint.ts OUT [--layers 32] [--blocks 39] [--separate]
 */
import { copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { elementCount, type DType } from "../../lib/model/src/tensor/dtype.ts";
import { toFloat16 } from "../../lib/model/src/tensor/half.ts";
import type { TensorInput } from "../../lib/convert/src/checkpoint/writing/chunks.ts";
import { writeTorchZip } from "../support/checkpoint/writeTorchZip.ts";

type Shapes = [name: string, shape: number[]][];

const published = {
  vit: { width: 1408, mlp: 6144, patch: 14, tokens: 257, blocks: 39 },
  qformer: { width: 768, mlp: 3072, layers: 12, queries: 32 },
  mapping: { width: 4096 },
  phi: { width: 2560, mlp: 10240, layers: 32, heads: 32, vocabulary: 51200 },
  lora: { rank: 64, alpha: 16 },
};

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const linear = (name: string, out: number, width: number): Shapes => [
  [`${name}.weight`, [out, width]],
  [`${name}.bias`, [out]],
];
const norm = (name: string, width: number): Shapes => [
  [`${name}.weight`, [width]],
  [`${name}.bias`, [width]],
];

/** One block more than is used, as the published file has. */
function visionShapes(blocks: number): Shapes {
  const { width, mlp, patch, tokens } = published.vit;
  return [
    ["cls_token", [1, 1, width]],
    ["pos_embed", [1, tokens, width]],
    ["patch_embed.proj.weight", [width, 3, patch, patch]],
    ["patch_embed.proj.bias", [width]],
    ...range(blocks + 1).flatMap((n): Shapes => {
      const at = `blocks.${n}`;
      return [
        ...norm(`${at}.norm1`, width),
        [`${at}.attn.q_bias`, [width]],
        [`${at}.attn.v_bias`, [width]],
        [`${at}.attn.qkv.weight`, [3 * width, width]],
        ...linear(`${at}.attn.proj`, width, width),
        ...norm(`${at}.norm2`, width),
        ...linear(`${at}.mlp.fc1`, mlp, width),
        ...linear(`${at}.mlp.fc2`, width, mlp),
      ];
    }),
  ];
}

function qformerShapes(): Shapes {
  const { width, mlp, layers, queries } = published.qformer;
  const visionWidth = published.vit.width;
  const attention = (at: string, keyWidth: number): Shapes => [
    ...linear(`${at}.self.query`, width, width),
    ...linear(`${at}.self.key`, width, keyWidth),
    ...linear(`${at}.self.value`, width, keyWidth),
    ...linear(`${at}.output.dense`, width, width),
    ...norm(`${at}.output.LayerNorm`, width),
  ];
  return [
    ["query_tokens", [1, queries, width]],
    ...norm("ln_vision", visionWidth),
    ...norm("Qformer.bert.embeddings.LayerNorm", width),
    ...range(layers).flatMap((n): Shapes => {
      const at = `Qformer.bert.encoder.layer.${n}`;
      return [
        ...attention(`${at}.attention`, width),
        ...(n % 2 === 0 ? attention(`${at}.crossattention`, visionWidth) : []),
        ...linear(`${at}.intermediate_query.dense`, mlp, width),
        ...linear(`${at}.output_query.dense`, width, mlp),
        ...norm(`${at}.output_query.LayerNorm`, width),
      ];
    }),
    ...linear("t5_proj", 4096, width),
  ];
}

function phiShapes(layers: number, separate: boolean): Shapes {
  const { width, mlp, vocabulary } = published.phi;
  return [
    ["model.embed_tokens.weight", [vocabulary, width]],
    ...range(layers).flatMap((n): Shapes => {
      const at = `model.layers.${n}`;
      const projections = separate ? ["q_proj", "k_proj", "v_proj"] : ["query_key_value"];
      return [
        ...norm(`${at}.input_layernorm`, width),
        ...projections.flatMap((name) =>
          linear(`${at}.self_attn.${name}`, (3 / projections.length) * width, width),
        ),
        ...linear(`${at}.self_attn.dense`, width, width),
        ...linear(`${at}.mlp.fc1`, mlp, width),
        ...linear(`${at}.mlp.fc2`, width, mlp),
      ];
    }),
    ...norm("model.final_layernorm", width),
    ...linear("lm_head", vocabulary, width),
  ];
}

function stageShapes(layers: number): Shapes {
  const { width, heads } = published.phi;
  const { rank } = published.lora;
  const lora = (at: string, out: number): Shapes => [
    [`${at}.lora_A.weight`, [rank, width]],
    [`${at}.lora_B.weight`, [out, rank]],
  ];
  const model = "llama_model.base_model.model.model";
  return [
    ...range(layers).flatMap((n): Shapes => {
      const at = `${model}.layers.${n}`;
      return [
        ...lora(`${at}.self_attn.query_key_value`, 3 * width),
        ...lora(`${at}.self_attn.dense`, width),
        [`${at}.self_attn.q_layernorm.weight`, [width / heads]],
        [`${at}.self_attn.k_layernorm.weight`, [width / heads]],
        [`${at}.input_layernorm.weight`, [width]],
        [`${at}.post_layernorm.weight`, [width]],
      ];
    }),
    [`${model}.final_layernorm.weight`, [width]],
    ...linear("llama_proj", published.mapping.width, published.qformer.width),
    ...linear("llama_proj2", width, published.mapping.width),
  ];
}

/** Normal numbers, drawn once; tensors are made of pieces of it from random places, so that no two are alike. */
const poolSize = 1 << 22;
const pieceSize = 1 << 18;

function createRandomTensors(seed: number) {
  let state = seed;
  /** Marsaglia's xorshift32: quick, and any numbers will do. */
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  const normal = Float32Array.from(
    { length: poolSize },
    () => Math.sqrt(-2 * Math.log(next() || 1e-9)) * Math.cos(2 * Math.PI * next()),
  );
  const pools = new Map<string, Uint8Array>();
  const poolOf = (dtype: DType, mean: number, deviation: number) => {
    const key = `${dtype} ${mean} ${deviation}`;
    const known = pools.get(key);
    if (known) return known;
    const values = normal.map((value) => mean + value * deviation);
    const data = dtype === "float16" ? toFloat16(values) : values;
    const pool = new Uint8Array(data.buffer);
    pools.set(key, pool);
    return pool;
  };
  return (dtype: "float16" | "float32", name: string, shape: number[]): [string, TensorInput] => {
    const isNorm = /(norm\d?|ln_vision)\.weight$/i.test(name);
    const pool = isNorm ? poolOf(dtype, 1, 0.1) : poolOf(dtype, 0, 0.02);
    const bytes = dtype === "float16" ? 2 : 4;
    function* data() {
      for (let left = elementCount(shape); left > 0; left -= pieceSize) {
        const size = Math.min(left, pieceSize);
        const start = Math.floor(next() * (poolSize - size));
        yield pool.subarray(start * bytes, (start + size) * bytes);
      }
    }
    return [name, { dtype, shape, data }];
  };
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    layers: { type: "string", default: String(published.phi.layers) },
    blocks: { type: "string", default: String(published.vit.blocks) },
    /** Separate q, k and v matrices, as upstream Phi-2 has them today. */
    separate: { type: "boolean", default: false },
  },
});
const [out] = positionals;
if (!out) throw new Error("usage: randomCheckpoint.ts OUT [--layers N] [--blocks N] [--separate]");
const layers = Number(options.layers);
const blocks = Number(options.blocks);
const random = createRandomTensors(7);
const phiFolder = join(out, "phi-2");
await mkdir(phiFolder, { recursive: true });

const write = (file: string, dtype: "float16" | "float32", shapes: Shapes, under?: string) =>
  writeTorchZip(
    join(out, file),
    shapes.map(([name, shape]) => random(dtype, name, shape)),
    under ? { under } : {},
  );
await write("eva_vit_g.pth", "float16", visionShapes(blocks));
await write("blip2_pretrained_flant5xxl.pth", "float32", qformerShapes(), "model");
await write("phi-2/pytorch_model.bin", "float16", phiShapes(layers, options.separate));
await write("TinyGPT-V_for_Stage4.pth", "float32", stageShapes(layers), "model");

const { width, mlp, heads, vocabulary } = published.phi;
await writeFile(
  join(phiFolder, "config.json"),
  JSON.stringify({
    model_type: "phi",
    hidden_size: width,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: mlp,
    vocab_size: vocabulary,
    partial_rotary_factor: 0.4,
    rope_theta: 10000,
    layer_norm_eps: 1e-5,
    max_position_embeddings: 2048,
    hidden_act: "gelu_new",
    tie_word_embeddings: false,
  }),
);
const tokenizer = new URL("../fixtures/tokenizer/", import.meta.url);
for (const name of await readdir(tokenizer))
  if (name !== "cases.json") await copyFile(new URL(name, tokenizer), join(phiFolder, name));
await writeFile(
  join(out, "model.json"),
  JSON.stringify({
    name: "random",
    weights: "random",
    vit: { image_size: 448, patch_size: 14, num_heads: 16, depth: blocks, norm_eps: 1e-6 },
    ln_vision_eps: 1e-5,
    qformer: { num_heads: 12, num_layers: 12, cross_attention_freq: 2, layer_norm_eps: 1e-12 },
    phi: { post_layernorm_eps: 1e-6, layer_norm_eps: 1e-5 },
    stages: [{ file: "TinyGPT-V_for_Stage4.pth", lora_r: 64, lora_alpha: 16 }],
  }),
);
