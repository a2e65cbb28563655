/** The quantized forms of a linear layer. */
import type { Initializer } from "@tinygptv/graph";
import { transpose, viewAs } from "@tinygptv/model";
import {
  blockwiseShape,
  quantizeBlockwise,
  type BlockFormat,
  type BlockwiseWeight,
} from "./blockwise.ts";
import type { LinearLayer, LinearOperator } from "@tinygptv/network";
import { quantizePerChannel } from "./perChannel.ts";

/** Activations are rounded to 8 bits per block, so that the product runs on integers. */
const int8Activations = 4;

/**
 * MatMulNBits: weights in blocks.
 * @param load the quantized weight; rounded to nearest unless given
 */
export function blockwiseOperator(
  layer: LinearLayer,
  format: BlockFormat,
  load: () => Promise<BlockwiseWeight> = () => roundToNearest(layer, format),
): LinearOperator {
  const { name, weight, bias } = layer;
  const [width, out] = weight.shape as [number, number];
  const shape = blockwiseShape(format, out, width);
  const loadOnce = sharedBy(2, load);
  const codes: Initializer = {
    name: `${name}.codes`,
    dtype: "uint8",
    shape: shape.codes,
    load: async () => (await loadOnce()).codes,
  };
  const scales: Initializer = {
    name: `${name}.scales`,
    dtype: "float32",
    shape: shape.scales,
    load: async () => bytesOf((await loadOnce()).scales),
  };
  return {
    op: "MatMulNBits",
    attributes: {
      K: width,
      N: out,
      bits: format.bits,
      block_size: format.blockSize,
      accuracy_level: int8Activations,
    },
    // Zero points and group indices are left out: rounding is symmetric, blocks are in order.
    constants: bias ? [codes, scales, undefined, undefined, bias.values] : [codes, scales],
  };
}

/** DynamicQuantizeMatMul: 8-bit weights per output, 8-bit activations with one range per run. */
export function dynamicOperator({ name, weight, bias }: LinearLayer): LinearOperator {
  const [, out] = weight.shape as [number, number];
  const loadOnce = sharedBy(2, async () => quantizePerChannel(name, await loadFloats(weight), out));
  const codes: Initializer = {
    name: `${name}.codes`,
    dtype: "int8",
    shape: weight.shape,
    load: async () => bytesOf((await loadOnce()).codes),
  };
  const scales: Initializer = {
    name: `${name}.scales`,
    dtype: "float32",
    shape: [out],
    load: async () => bytesOf((await loadOnce()).scales),
  };
  return {
    op: "DynamicQuantizeMatMul",
    attributes: {},
    constants: bias ? [codes, scales, undefined, bias.values] : [codes, scales],
  };
}

async function roundToNearest(
  { name, weight }: LinearLayer,
  format: BlockFormat,
): Promise<BlockwiseWeight> {
  const [width, out] = weight.shape as [number, number];
  const rows = transpose(await loadFloats(weight), width, out); // [in,out] -> [out,in]
  return quantizeBlockwise(name, rows, out, format);
}

export async function loadFloats(weight: Initializer): Promise<Float32Array> {
  return viewAs(Float32Array, await weight.load());
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Int8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Computes once for `readers` calls and then forgets, so that no weight outlives its writing. */
function sharedBy<T>(readers: number, compute: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  let left = 0;
  return () => {
    if (!result) {
      result = compute();
      left = readers;
    }
    const current = result;
    left--;
    if (left === 0) result = undefined;
    return current;
  };
}
