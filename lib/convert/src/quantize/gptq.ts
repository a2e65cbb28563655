/**
 * Rounding with error compensation (GPTQ, Frantar et al. 2022, arXiv 2210.17323):
 * weights are rounded one input after the other, and what rounding one has
 * changed in the layer's output is made up for by the inputs still to come, as
 * far as calibration has seen them vary together.
 */
import {
  createBlockWriter,
  notFinite,
  type BlockFormat,
  type BlockwiseWeight,
} from "./blockwise.ts";
import { codeOf, searchScale } from "./scale.ts";

/** Share of the mean input energy added to every input's, as in the paper: inputs never seen stay put. */
const damping = 0.01;

/**
 * Widest range of inputs that compensate for each other. The cost grows with its
 * cube; wider layers are cut into equal ranges.
 */
const widestRange = 4096;

/** How many ranges the inputs of a layer are cut into, each a whole number of blocks; 1 where that cannot be. */
export function rangeCount(width: number, blockSize: number): number {
  for (let count = Math.ceil(width / widestRange); count <= width / blockSize; count++)
    if (width % (count * blockSize) === 0) return count;
  return 1;
}

/**
 * @param weight [out,in], row-major; used up
 * @param gram Xᵀ·X of the calibration inputs, [ranges, in/ranges, in/ranges]
 * Throws "layout" where a weight is not finite.
 */
export function quantizeCompensated(
  name: string,
  weight: Float32Array,
  out: number,
  format: BlockFormat,
  gram: Float32Array,
): BlockwiseWeight {
  const width = weight.length / out;
  const { bits, blockSize } = format;
  const range = gram.length / width; // inputs per range
  const writer = createBlockWriter(out, width, format);
  for (let first = 0; first < width; first += range) {
    const factor = errorFactor(gram.subarray(first * range, (first + range) * range), range);
    for (let row = 0; row < out; row++) {
      const x = weight.subarray(row * width + first, row * width + first + range);
      let inverse = 0;
      let scale = 0;
      for (let i = 0; i < range; i++) {
        if (i % blockSize === 0) {
          scale = searchScale(x, i, Math.min(i + blockSize, range), bits);
          if (Number.isNaN(scale)) throw notFinite(name);
          inverse = scale === 0 ? 0 : 1 / scale;
          writer.scale(row, first + i, scale);
        }
        const code = codeOf(x[i]!, inverse, bits);
        writer.code(row, first + i, code);
        const start = i * range;
        const error = (x[i]! - scale * (code - (1 << (bits - 1)))) / factor[start + i]!;
        for (let k = i + 1; k < range; k++) x[k]! -= error * factor[start + k]!;
      }
    }
  }
  return writer.weight;
}

/**
 * Upper triangular U with UᵀU = H⁻¹. With H = R·Rᵀ, R upper triangular
 * (Cholesky from the last row up), U is R⁻¹: no inverse is factored again.
 */
function errorFactor(gram: Float32Array, size: number): Float32Array {
  let energy = 0;
  for (let i = 0; i < size; i++) energy += gram[i * size + i]!;
  const added = energy > 0 ? (damping * energy) / size : 1;

  const root = new Float64Array(size * size);
  for (let j = size - 1; j >= 0; j--) {
    const row = j * size;
    for (let i = j; i >= 0; i--) {
      const other = i * size;
      let sum = gram[other + j]!;
      for (let k = j + 1; k < size; k++) sum -= root[other + k]! * root[row + k]!;
      root[other + j] = i === j ? Math.sqrt(sum + added) : sum / root[row + j]!;
    }
  }

  const inverse = new Float32Array(size * size);
  const accumulated = new Float64Array(size);
  for (let i = size - 1; i >= 0; i--) {
    accumulated.fill(0);
    accumulated[i] = 1;
    for (let k = i + 1; k < size; k++) {
      const share = root[i * size + k]!;
      const from = k * size;
      for (let j = k; j < size; j++) accumulated[j]! -= share * inverse[from + j]!;
    }
    const diagonal = root[i * size + i]!;
    for (let j = i; j < size; j++) inverse[i * size + j] = accumulated[j]! / diagonal;
  }
  return inverse;
}
