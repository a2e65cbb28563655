import { pause } from "../pause.ts";

/** Pillow keeps its weights as integers in units of 2^-22: 8 bits for the pixel, 2 for overshoot. */
const precisionBits = 32 - 8 - 2;
const half = 1 << (precisionBits - 1);

/** Keys' cubic with a = -0.5, which reaches two pixels to each side. */
function bicubic(x: number): number {
  const a = -0.5;
  const d = Math.abs(x);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  if (d < 2) return (((d - 5) * d + 8) * d - 4) * a;
  return 0;
}

/** For each output pixel: which input pixels it is made of, and their weights. */
interface Filter {
  /** First input pixel, and the one after the last. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Weight of input pixel i of output pixel o: `weights[o * taps + i - starts[o]]`, in 2^-22. */
  readonly weights: Int32Array;
  readonly taps: number;
}

/**
 * When the picture shrinks, the cubic is stretched by the reduction factor, so
 * that every input pixel counts (antialiasing). At the borders the weights of
 * the pixels that exist are scaled up to a sum of one.
 */
function bicubicFilter(inputSize: number, outputSize: number): Filter {
  const scale = inputSize / outputSize;
  const stretch = Math.max(scale, 1);
  const support = 2 * stretch;
  const taps = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(outputSize);
  const ends = new Int32Array(outputSize);
  const weights = new Int32Array(outputSize * taps);
  const exact = new Float64Array(taps);
  for (let o = 0; o < outputSize; o++) {
    const center = (o + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(inputSize, Math.trunc(center + support + 0.5));
    let sum = 0;
    for (let i = start; i < end; i++) {
      exact[i - start] = bicubic((i - center + 0.5) * (1 / stretch));
      sum += exact[i - start]!;
    }
    for (let tap = 0; tap < end - start; tap++) {
      const fixed = (exact[tap]! / sum) * (1 << precisionBits);
      weights[o * taps + tap] = Math.trunc(fixed < 0 ? fixed - 0.5 : fixed + 0.5);
    }
    starts[o] = start;
    ends[o] = end;
  }
  return { starts, ends, weights, taps };
}

/** A fixed-point sum as an 8-bit level. */
function level(sum: number): number {
  const value = sum >> precisionBits;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/** One row of RGB pixels, resized and rounded to 8 bits. */
function resizeRow(rgb: Uint8Array, rowStart: number, filter: Filter, out: Uint8Array): void {
  const { starts, ends, weights, taps } = filter;
  for (let o = 0; o < starts.length; o++) {
    let r = half;
    let g = half;
    let b = half;
    let source = rowStart + starts[o]! * 3;
    const tapsEnd = o * taps + ends[o]! - starts[o]!;
    for (let tap = o * taps; tap < tapsEnd; tap++) {
      const weight = weights[tap]!;
      r = (r + Math.imul(rgb[source]!, weight)) | 0;
      g = (g + Math.imul(rgb[source + 1]!, weight)) | 0;
      b = (b + Math.imul(rgb[source + 2]!, weight)) | 0;
      source += 3;
    }
    out[o * 3] = level(r);
    out[o * 3 + 1] = level(g);
    out[o * 3 + 2] = level(b);
  }
}

/**
 * Resizes a picture to a square, aspect ratio not kept, with the antialiased
 * bicubic of Pillow's `Image.resize` (src/libImaging/Resample.c), bit for bit:
 * a horizontal pass rounded to 8 bits, then a vertical one, weights in fixed
 * point.
 *
 * The two passes run interleaved: each input row is resized once and added to
 * the sums of the output rows it belongs to. So memory depends on `size` only,
 * not on the picture.
 *
 * @param rgb [height,width,3] 8-bit levels
 * @returns [size,size,3]
 */
export function resizeBicubic(
  rgb: Uint8Array,
  width: number,
  height: number,
  size: number,
): Uint8Array {
  const steps = resizing(rgb, width, height, size);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The same, a few milliseconds at a time: whoever waits for the thread has it in between. */
export async function resizeInSteps(
  ...picture: Parameters<typeof resizeBicubic>
): Promise<Uint8Array> {
  const steps = resizing(...picture);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    await pause();
  }
}

/** Input pixels that a step deals with. */
const stepPixels = 200_000;

function* resizing(
  rgb: Uint8Array,
  width: number,
  height: number,
  size: number,
): Generator<undefined, Uint8Array> {
  const rowsPerStep = Math.max(1, Math.floor(stepPixels / width));
  const horizontal = bicubicFilter(width, size);
  const vertical = bicubicFilter(height, size);
  const stride = size * 3;
  const row = new Uint8Array(stride);
  const sums = new Int32Array(size * stride).fill(half);
  let first = 0; // first output row that still needs input rows
  for (let y = 0; y < height; y++) {
    if (y % rowsPerStep === rowsPerStep - 1) yield;
    while (vertical.ends[first]! <= y) first++;
    resizeRow(rgb, y * width * 3, horizontal, row);
    for (let o = first; o < size && vertical.starts[o]! <= y; o++) {
      const weight = vertical.weights[o * vertical.taps + y - vertical.starts[o]!]!;
      const base = o * stride;
      for (let i = 0; i < stride; i++) {
        sums[base + i] = (sums[base + i]! + Math.imul(row[i]!, weight)) | 0;
      }
    }
  }
  return Uint8Array.from(sums, level);
}
