import { TinyGptvError } from "@tinygptv/protocol";
import type { Weight } from "@tinygptv/network";
import { originOf } from "./shape.ts";

/** Torch's cubic coefficient; Pillow's (image/resize.ts) is -0.5. */
const a = -0.75;

/**
 * The stored position embedding (1, 1+n², D) on the grid of the picture size in
 * use (1, 1+m², D): the class token's row is kept, the rest is interpolated as
 * torch's bicubic `interpolate` does (align_corners false, no antialiasing, edges repeated).
 */
export function resizePositionEmbedding(weight: Weight, grid: number): Weight {
  const [, tokens = 0, width = 0] = weight.shape;
  const stored = Math.sqrt(tokens - 1);
  if (!Number.isInteger(stored) || stored === 0)
    throw new TinyGptvError(
      "layout",
      `shape: ${originOf(weight)}: want [1, 1 + a square, width], got [${weight.shape}]`,
    );
  if (stored === grid) return weight;
  return {
    ...weight,
    shape: [1, 1 + grid * grid, width],
    load: async () => {
      const values = await weight.load();
      const out = new Float32Array((1 + grid * grid) * width);
      out.set(values.subarray(0, width));
      const taps = cubicTaps(stored, grid);
      const row = new Float64Array(width);
      for (let y = 0; y < grid; y++)
        for (let x = 0; x < grid; x++) {
          row.fill(0);
          for (const vertical of taps[y]!)
            for (const horizontal of taps[x]!) {
              const factor = vertical.factor * horizontal.factor;
              const start = (1 + vertical.index * stored + horizontal.index) * width;
              for (let i = 0; i < width; i++) row[i]! += factor * values[start + i]!;
            }
          out.set(row, (1 + y * grid + x) * width);
        }
      return out;
    },
  };
}

/** For each target index, the four source indices and their factors. */
function cubicTaps(from: number, to: number): { index: number; factor: number }[][] {
  return Array.from({ length: to }, (_, target) => {
    const position = ((target + 0.5) * from) / to - 0.5;
    const left = Math.floor(position);
    return [-1, 0, 1, 2].map((tap) => ({
      index: Math.min(Math.max(left + tap, 0), from - 1),
      factor: cubic(position - (left + tap)),
    }));
  });
}

/** Keys' cubic convolution kernel. */
function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x <= 1) return (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1;
  if (x < 2) return a * x ** 3 - 5 * a * x ** 2 + 8 * a * x - 4 * a;
  return 0;
}
