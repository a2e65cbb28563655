/**
 * The scale of a group of weights: symmetric rounding `q = round(x / scale)`
 * with the scale that makes the squared error small, instead of the one that
 * just makes the largest weight fit.
 */

export type Bits = 4 | 8;

/**
 * What the weight of the largest magnitude may be rounded to before clipping.
 * The first entry is plain min-max; beyond the range the extreme is clipped in
 * favour of a finer step. Negative ones give a negative scale, which lets the
 * extreme use the one code more that two's complement has on its negative side.
 */
const targets: Record<Bits, readonly number[]> = {
  4: [7, -8, -7.5, 7.9, -8.8, 9.4],
  8: [127, 134, 142],
};

/**
 * Searches the scale of `values[start, end)`. For each candidate step the codes
 * are fixed and the scale is refitted to them by least squares; the best fit
 * wins. With nearest rounding its error is never above that of min-max rounding.
 * @returns 0 for a group of zeros, NaN where a weight is not finite
 */
export function searchScale(values: Float32Array, start: number, end: number, bits: Bits): number {
  let extreme = 0;
  let energy = 0;
  for (let i = start; i < end; i++) {
    const value = values[i]!;
    energy += value * value;
    if (Math.abs(value) > Math.abs(extreme)) extreme = value;
  }
  if (!Number.isFinite(energy)) return NaN;
  if (extreme === 0) return 0;

  const zero = 2 ** (bits - 1);
  const top = 2 * zero - 1;
  let best = 0;
  let scale = 0;
  for (const target of targets[bits]) {
    const inverse = target / extreme;
    let products = 0; // Σ x·q
    let squares = 0; // Σ q²
    for (let i = start; i < end; i++) {
      const value = values[i]!;
      // Truncation after a shift to positive codes rounds to nearest, and faster than Math.round.
      let code = (value * inverse + zero + 0.5) | 0;
      if (code < 0) code = 0;
      else if (code > top) code = top;
      const q = code - zero;
      products += value * q;
      squares += q * q;
    }
    // Σ (x - s·q)² is least for s = products / squares, by this much less than Σ x².
    const gain = (products * products) / squares;
    if (gain > best) {
      best = gain;
      scale = products / squares;
    }
  }
  return Math.fround(scale);
}

/** The code of a weight, shifted to be positive: nearest multiple of the scale plus 2^(bits-1). */
export function codeOf(value: number, inverseScale: number, bits: Bits): number {
  const zero = 1 << (bits - 1);
  const code = (value * inverseScale + zero + 0.5) | 0;
  return code < 0 ? 0 : code > 2 * zero - 1 ? 2 * zero - 1 : code;
}
