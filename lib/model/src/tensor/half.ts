import { TinyGptvError } from "@tinygptv/protocol";
import type { DType } from "./dtype.ts";

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** The 65536 values of IEEE binary16, so that widening is one table look-up. */
const halfToFloat = (() => {
  const table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    if (exponent === 0) table[bits] = sign * fraction * 2 ** -24;
    else if (exponent === 31) table[bits] = fraction ? NaN : sign * Infinity;
    else table[bits] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return table;
})();

/** Nearest binary16 of a number (ties to even), as its 16 bits. */
export function floatToHalfBits(value: number): number {
  scratch[0] = value;
  const bits = scratchBits[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // rounds beyond 65504
  if (magnitude < 0x38800000) {
    // Subnormal half: adding 0.5 in float32 leaves the rounded significand in the low bits.
    scratch[0] = Math.abs(value) + 0.5;
    return sign | (scratchBits[0]! - 0x3f000000);
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

/** Little-endian bytes of a floating-point tensor as float32 (exact for all but float64). */
export function toFloat32(bytes: Uint8Array, dtype: DType): Float32Array {
  switch (dtype) {
    case "float32":
      return viewAs(Float32Array, bytes);
    case "float16": {
      // A loop: TypedArray.from would first collect all values in an ordinary array.
      const halves = viewAs(Uint16Array, bytes);
      const values = new Float32Array(halves.length);
      for (let i = 0; i < values.length; i++) values[i] = halfToFloat[halves[i]!]!;
      return values;
    }
    case "bfloat16": {
      const halves = viewAs(Uint16Array, bytes);
      const words = new Uint32Array(halves.length);
      for (let i = 0; i < words.length; i++) words[i] = halves[i]! << 16;
      return new Float32Array(words.buffer);
    }
    case "float64":
      return new Float32Array(viewAs(Float64Array, bytes));
    default:
      throw new TinyGptvError("layout", `dtype: want a floating-point tensor, got ${dtype}`);
  }
}

/** float32 values rounded to binary16. */
export function toFloat16(values: Float32Array): Uint16Array {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) out[i] = floatToHalfBits(values[i]!);
  return out;
}

interface NumberView<T> {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
  readonly BYTES_PER_ELEMENT: number;
}

/** A typed view of bytes; copies only where the bytes start at an unaligned address. */
export function viewAs<T>(View: NumberView<T>, bytes: Uint8Array): T {
  // Not slice(): a Buffer's shares the memory, and so the address.
  const aligned = bytes.byteOffset % View.BYTES_PER_ELEMENT === 0 ? bytes : Uint8Array.from(bytes);
  return new View(aligned.buffer, aligned.byteOffset, bytes.byteLength / View.BYTES_PER_ELEMENT);
}
