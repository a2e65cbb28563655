import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blockwiseShape, quantizeBlockwise, type BlockFormat } from "./blockwise.ts";
import { quantizeCompensated, rangeCount } from "./gptq.ts";
import { quantizePerChannel } from "./perChannel.ts";

/** MatMulNBits' format, read by its documentation: low half first, zero point in the middle, padded blocks. */
function dequantize(
  { codes, scales }: { codes: Uint8Array; scales: Float32Array },
  { bits, blockSize }: BlockFormat,
  out: number,
  width: number,
): number[] {
  const blocks = scales.length / out;
  return Array.from({ length: out * width }, (_, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    const at = row * blocks * blockSize + column;
    const code = bits === 8 ? codes[at]! : (codes[Math.floor(at / 2)]! >> (4 * (at % 2))) & 15;
    const scale = scales[row * blocks + Math.floor(column / blockSize)]!;
    return (code - 2 ** (bits - 1)) * scale;
  });
}

const squaredError = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0);

/** Plain min-max rounding, block by block. */
function minMax(weight: Float32Array, { bits, blockSize }: BlockFormat, out: number): number[] {
  const width = weight.length / out;
  const top = 2 ** (bits - 1) - 1;
  return Array.from(weight, (value, i) => {
    const start = i - ((i % width) % blockSize);
    const end = Math.min(start + blockSize, i - (i % width) + width);
    const scale = Math.max(...weight.subarray(start, end).map(Math.abs)) / top;
    return scale === 0 ? 0 : Math.round(value / scale) * scale;
  });
}

const formats: BlockFormat[] = [
  { bits: 4, blockSize: 32 },
  { bits: 4, blockSize: 128 },
  { bits: 8, blockSize: 64 },
];
const weights = fc
  .record({ out: fc.integer({ min: 1, max: 4 }), width: fc.integer({ min: 1, max: 150 }) })
  .chain(({ out, width }) =>
    fc
      .array(fc.float({ min: -4, max: 4, noNaN: true }), {
        minLength: out * width,
        maxLength: out * width,
      })
      .map((values) => ({ out, width, weight: Float32Array.from(values) })),
  );

describe.each(formats)("$bits bits in blocks of $blockSize", (format) => {
  it("is never worse than min-max rounding, whatever the width", () => {
    fc.assert(
      fc.property(weights, ({ out, width, weight }) => {
        const rounded = quantizeBlockwise("w", weight, out, format);
        const got = squaredError(weight, dequantize(rounded, format, out, width));
        const limit = squaredError(weight, minMax(weight, format, out));
        expect(got).toBeLessThanOrEqual(limit * (1 + 1e-5) + 1e-12);
      }),
    );
  });

  it("keeps multiples of one step as they are", () => {
    const { bits, blockSize } = format;
    const top = 2 ** (bits - 1) - 1;
    const weight = Float32Array.from(
      { length: 2 * blockSize },
      (_, i) => (i % blockSize === 0 ? top : ((i * 37) % (2 * top + 1)) - top) / 8,
    );
    const back = dequantize(quantizeBlockwise("w", weight, 2, format), format, 2, blockSize);
    back.forEach((value, i) => expect(value).toBeCloseTo(weight[i]!, 6));
  });

  it("fills the last block with zero weights", () => {
    const { codes, scales } = quantizeBlockwise("w", new Float32Array(33).fill(1), 1, format);
    const padded = blockwiseShape(format, 1, 33).blocks * format.blockSize;
    const back = dequantize({ codes, scales }, format, 1, padded);
    expect(back.slice(0, 33).every((value) => Math.abs(value - 1) < 1e-6)).toBe(true);
    expect(back.slice(33).every((value) => Math.abs(value) === 0)).toBe(true);
  });

  it.each([NaN, Infinity, -Infinity])("refuses %s", (bad) => {
    const weight = new Float32Array(64);
    weight[40] = bad;
    expect(() => quantizeBlockwise("phi.layers.3.mlp.fc1", weight, 2, format)).toThrow(
      "phi.layers.3.mlp.fc1: want finite weights, got NaN or Infinity",
    );
  });
});

it("rounds every output of a dynamic layer with its own step", () => {
  // Output 0 has small weights, output 1 large ones; [in,out] side by side.
  const weight = Float32Array.from({ length: 40 }, (_, i) => Math.sin(i) * (i % 2 ? 100 : 0.01));
  const { codes, scales } = quantizePerChannel("w", weight, 2);
  for (let i = 0; i < 40; i++)
    expect(Math.abs(codes[i]! * scales[i % 2]! - weight[i]!)).toBeLessThanOrEqual(
      (i % 2 ? 100 : 0.01) / 120,
    );
});

describe("error compensation", () => {
  const [out, width, samples] = [8, 128, 400];
  const format: BlockFormat = { bits: 4, blockSize: 32 };
  let state = 1;
  const random = () => (state = (state * 16807) % 2147483647) / 2147483647 - 0.5;
  const weight = Float32Array.from({ length: out * width }, random);
  // Inputs that vary together: a few hidden causes and little noise.
  const causes = Array.from({ length: 6 * width }, random);
  const inputs = Array.from({ length: samples }, () => {
    const cause = Array.from({ length: 6 }, random);
    return Array.from(
      { length: width },
      (_, i) => cause.reduce((sum, c, j) => sum + c * causes[j * width + i]!, 0) + 0.02 * random(),
    );
  });
  const outputError = (rounded: number[]) => {
    let sum = 0;
    for (const x of inputs)
      for (let row = 0; row < out; row++) {
        let difference = 0;
        for (let i = 0; i < width; i++)
          difference += x[i]! * (weight[row * width + i]! - rounded[row * width + i]!);
        sum += difference ** 2;
      }
    return sum;
  };

  it.each([1, 2])("gives outputs far closer than rounding to nearest, in %i ranges", (ranges) => {
    const size = width / ranges;
    const gram = new Float32Array(ranges * size * size);
    for (const x of inputs)
      for (let r = 0; r < ranges; r++)
        for (let i = 0; i < size; i++)
          for (let j = 0; j < size; j++)
            gram[(r * size + i) * size + j]! += x[r * size + i]! * x[r * size + j]!;
    const compensated = quantizeCompensated("w", weight.slice(), out, format, gram);
    const nearest = quantizeBlockwise("w", weight, out, format);
    const error = outputError(dequantize(compensated, format, out, width));
    expect(error).toBeLessThan(0.35 * outputError(dequantize(nearest, format, out, width)));
  });

  it("is rounding to nearest where calibration saw nothing", () => {
    const silent = new Float32Array(width * width);
    const compensated = quantizeCompensated("w", weight.slice(), out, format, silent);
    expect(compensated).toEqual(quantizeBlockwise("w", weight, out, format));
  });

  it.each([
    [2560, 128, 1],
    [10240, 128, 4],
    [1117, 128, 1],
    [6144, 64, 2],
  ])("compensates over %i inputs with blocks of %i in %i ranges", (inputWidth, block, ranges) => {
    expect(rangeCount(inputWidth, block)).toBe(ranges);
  });
});
