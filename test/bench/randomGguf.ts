/**
 * A Phi-2 of the published dimensions for llama.cpp, with random weights in one
 * of its block formats. GGUF version 3: header, key-value pairs, tensor infos, data.
 * Source: the format's specification in ggml's docs, tensor names of llama.cpp's `phi2` architecture.
 */
import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { once } from "node:events";
import { finished } from "node:stream/promises";
import { floatToHalfBits } from "../../lib/model/src/tensor/half.ts";
import { publishedConfig, type Depth } from "./dimensions.ts";
import { createRandomData } from "./randomData.ts";

/** ggml's number of a format, the file type llama.cpp reports, and its blocks of 32 weights: a half scale, then codes. */
const formats = {
  Q4_0: { type: 2, fileType: 2, codes: 16, scale: 0.0043 },
  Q8_0: { type: 8, fileType: 7, codes: 32, scale: 0.00027 },
} as const;
export type GgufFormat = keyof typeof formats;

const blockSize = 32;
const alignment = 32;
const float32 = 0;

interface Tensor {
  name: string;
  /** Innermost first. */
  dims: number[];
  type: number;
  bytes: number;
}

export async function writeRandomGguf(
  path: string,
  depth: Depth,
  format: GgufFormat,
): Promise<void> {
  const { type, fileType, codes, scale } = formats[format];
  const { phi, tokens } = publishedConfig(depth);
  const { width, mlpWidth, vocabSize } = phi;
  const vector = (name: string, size: number): Tensor => ({
    name,
    dims: [size],
    type: float32,
    bytes: 4 * size,
  });
  const matrix = (name: string, inWidth: number, outWidth: number): Tensor => ({
    name: `${name}.weight`,
    dims: [inWidth, outWidth],
    type,
    bytes: ((inWidth * outWidth) / blockSize) * (2 + codes),
  });
  const linear = (name: string, inWidth: number, outWidth: number) => [
    matrix(name, inWidth, outWidth),
    vector(`${name}.bias`, outWidth),
  ];
  const norm = (name: string) => [vector(`${name}.weight`, width), vector(`${name}.bias`, width)];
  const tensors = [
    matrix("token_embd", width, vocabSize),
    ...Array.from({ length: phi.numLayers }, (_, n) => [
      ...norm(`blk.${n}.attn_norm`),
      ...linear(`blk.${n}.attn_qkv`, width, 3 * width),
      ...linear(`blk.${n}.attn_output`, width, width),
      ...linear(`blk.${n}.ffn_up`, width, mlpWidth),
      ...linear(`blk.${n}.ffn_down`, mlpWidth, width),
    ]).flat(),
    ...norm("output_norm"),
    ...linear("output", width, vocabSize),
  ];
  const { texts, kinds, merges } = await vocabulary(vocabSize);
  const u32 = (value: number) => tagged(4, number32(value));
  const entries: [string, Buffer][] = [
    ["general.architecture", tagged(8, text("phi2"))],
    ["general.name", tagged(8, text("random"))],
    ["general.file_type", u32(fileType)],
    ["phi2.context_length", u32(phi.contextLength)],
    ["phi2.embedding_length", u32(width)],
    ["phi2.feed_forward_length", u32(mlpWidth)],
    ["phi2.block_count", u32(phi.numLayers)],
    ["phi2.attention.head_count", u32(phi.numHeads)],
    ["phi2.attention.head_count_kv", u32(phi.numHeads)],
    ["phi2.attention.layer_norm_epsilon", tagged(6, float(phi.layerNormEps))],
    ["phi2.rope.dimension_count", u32(phi.rotaryDim)],
    ["tokenizer.ggml.model", tagged(8, text("gpt2"))],
    ["tokenizer.ggml.pre", tagged(8, text("gpt-2"))],
    ["tokenizer.ggml.tokens", list(8, texts.map(text))],
    ["tokenizer.ggml.token_type", list(5, kinds.map(number32))],
    ["tokenizer.ggml.merges", list(8, merges.map(text))],
    ["tokenizer.ggml.bos_token_id", u32(tokens.endOfText)],
    ["tokenizer.ggml.eos_token_id", u32(tokens.endOfText)],
    ["tokenizer.ggml.add_bos_token", tagged(7, Buffer.from([0]))],
  ];

  const file = createWriteStream(path);
  let written = 0;
  const write = async (bytes: Uint8Array) => {
    written += bytes.byteLength;
    if (!file.write(bytes)) await once(file, "drain");
  };
  const align = () => write(Buffer.alloc((alignment - (written % alignment)) % alignment));
  await write(
    Buffer.concat([
      Buffer.from("GGUF"),
      number32(3),
      number64(tensors.length),
      number64(entries.length),
      ...entries.flatMap(([key, value]) => [text(key), value]),
    ]),
  );
  let offset = 0;
  for (const { name, dims, type: kind, bytes } of tensors) {
    const shape = [number32(dims.length), ...dims.map(number64)];
    await write(Buffer.concat([text(name), ...shape, number32(kind), number64(offset)]));
    offset += Math.ceil(bytes / alignment) * alignment;
  }
  const random = createRandomData(7);
  const block = (next: () => number) => {
    const bytes = Buffer.from(Array.from({ length: 2 + codes }, () => Math.floor(next() * 256)));
    bytes.writeUInt16LE(floatToHalfBits(scale * (0.9 + 0.2 * next())));
    return bytes;
  };
  for (const { name, type: kind, bytes } of tensors) {
    await align();
    if (kind === float32) {
      const isNorm = name.endsWith("norm.weight");
      const values = random.normal(bytes / 4, isNorm ? 1 : 0, isNorm ? 0.1 : 0.02);
      await write(new Uint8Array(values.buffer));
    } else await write(random.records(bytes / (2 + codes), format, 2 + codes, block));
  }
  file.end();
  await finished(file);
}

/** The tokenizer's own tokens and merges; places without a token are filled. */
async function vocabulary(size: number) {
  const url = new URL("../fixtures/tokenizer/tokenizer.json", import.meta.url);
  const { model, added_tokens: added } = JSON.parse(await readFile(url, "utf8")) as {
    model: { vocab: Record<string, number>; merges: (string | string[])[] };
    added_tokens: { id: number; content: string }[];
  };
  const normal = 1;
  const unused = 5;
  const texts = Array.from({ length: size }, (_, id) => `<unused ${id}>`);
  const kinds = texts.map(() => unused);
  const known = [
    ...Object.entries(model.vocab),
    ...added.map(({ id, content }) => [content, id] as const),
  ];
  for (const [content, id] of known) {
    texts[id] = content;
    kinds[id] = normal;
  }
  const merges = model.merges.map((one) => (typeof one === "string" ? one : one.join(" ")));
  return { texts, kinds, merges };
}

function number32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function number64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function float(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([number64(bytes.length), bytes]);
}

/** A value with the number of its type in front. */
function tagged(type: number, value: Buffer): Buffer {
  return Buffer.concat([number32(type), value]);
}

function list(type: number, items: Buffer[]): Buffer {
  return tagged(9, Buffer.concat([number32(type), number64(items.length), ...items]));
}
