/**
 * Weights in blocks along the input axis, each with a scale: the format of ONNX
 * Runtime's MatMulNBits (contrib operators, com.microsoft).
 */
import { TinyGptvError } from "@tinygptv/protocol";
import { codeOf, searchScale, type Bits } from "./scale.ts";

export interface BlockFormat {
  readonly bits: Bits;
  /** Weights that share a scale; a power of two from 16. */
  readonly blockSize: 32 | 64 | 128;
}

export interface BlockwiseWeight {
  /** [out, blocks, blockSize·bits/8]; of two 4-bit codes the first is the low half. */
  readonly codes: Uint8Array;
  /** [out, blocks] */
  readonly scales: Float32Array;
}

/** Shapes of a weight [out,in] in blocks; the last block is padded. */
export function blockwiseShape({ bits, blockSize }: BlockFormat, out: number, width: number) {
  const blocks = Math.ceil(width / blockSize);
  const blockBytes = (blockSize * bits) / 8;
  return { codes: [out, blocks, blockBytes], scales: [out, blocks], blocks, blockBytes };
}

/**
 * Round to nearest with searched scales.
 * @param weight [out,in], row-major
 * Throws "layout" where a weight is not finite.
 */
export function quantizeBlockwise(
  name: string,
  weight: Float32Array,
  out: number,
  format: BlockFormat,
): BlockwiseWeight {
  const width = weight.length / out;
  const writer = createBlockWriter(out, width, format);
  for (let row = 0; row < out; row++)
    for (let start = 0; start < width; start += format.blockSize) {
      const first = row * width + start;
      const end = Math.min(first + format.blockSize, (row + 1) * width);
      const scale = searchScale(weight, first, end, format.bits);
      if (Number.isNaN(scale)) throw notFinite(name);
      writer.scale(row, start, scale);
      const inverse = scale === 0 ? 0 : 1 / scale;
      for (let i = first; i < end; i++)
        writer.code(row, i - row * width, codeOf(weight[i]!, inverse, format.bits));
    }
  return writer.weight;
}

export function notFinite(name: string): TinyGptvError {
  return new TinyGptvError("layout", `${name}: want finite weights, got NaN or Infinity`, {
    subject: name,
  });
}

/** Puts codes and scales where MatMulNBits looks for them; padding stays zero weight. */
export function createBlockWriter(out: number, width: number, format: BlockFormat) {
  const { bits, blockSize } = format;
  const { blocks, blockBytes } = blockwiseShape(format, out, width);
  const zero = 1 << (bits - 1);
  const codes = new Uint8Array(out * blocks * blockBytes).fill(bits === 4 ? zero * 17 : zero);
  const scales = new Float32Array(out * blocks);
  return {
    weight: { codes, scales },
    scale(row: number, column: number, scale: number): void {
      scales[row * blocks + Math.floor(column / blockSize)] = scale;
    },
    code(row: number, column: number, code: number): void {
      // Blocks follow each other without gaps, so a row is one run of codes.
      const start = row * blocks * blockBytes;
      if (bits === 8) codes[start + column] = code;
      else {
        const at = start + (column >> 1);
        const byte = codes[at]!;
        codes[at] = column & 1 ? (byte & 0x0f) | (code << 4) : (byte & 0xf0) | code;
      }
    },
  };
}
