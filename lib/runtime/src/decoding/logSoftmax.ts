/** A token with the natural logarithm of its probability. */
export interface RankedToken {
  readonly id: number;
  readonly logprob: number;
}

/** log(sum(exp(logits))), summed in float64 around the maximum so that nothing overflows. */
export function logSumExp(logits: Float32Array): number {
  let max = -Infinity;
  for (let i = 0; i < logits.length; i++) if (logits[i]! > max) max = logits[i]!;
  if (max === -Infinity) return -Infinity;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i]! - max);
  return max + Math.log(sum);
}

/** Log-probabilities of all tokens, rounded to float32 as the reference holds them, into `out`. */
export function logSoftmax(logits: Float32Array, out: Float32Array): void {
  const total = logSumExp(logits);
  for (let i = 0; i < logits.length; i++) out[i] = logits[i]! - total;
}

/** The `count` most probable tokens, best first; equal ones by ascending id. `total` is `logSumExp(logits)`. */
export function topLogprobs(logits: Float32Array, count: number, total: number): RankedToken[] {
  return largest([logits], [0], count).map(({ id, score }) => ({ id, logprob: score - total }));
}

export interface ScoredToken {
  readonly row: number;
  readonly id: number;
  readonly score: number;
}

/**
 * The `count` largest of `rows[r][id] + offsets[r]` over all rows, largest
 * first, equal ones in order of row and id. Sums are rounded to float32, as
 * the reference adds running beam scores; -Infinity is never among them.
 */
export function largest(
  rows: readonly Float32Array[],
  offsets: readonly number[],
  count: number,
): ScoredToken[] {
  const best: ScoredToken[] = [];
  if (count === 0) return best;
  let floor = -Infinity;
  rows.forEach((values, row) => {
    const offset = offsets[row]!;
    for (let id = 0; id < values.length; id++) {
      const score = Math.fround(values[id]! + offset);
      if (!(score > floor)) continue;
      let place = best.length;
      while (place > 0 && best[place - 1]!.score < score) place--;
      best.splice(place, 0, { row, id, score });
      if (best.length > count) best.pop();
      if (best.length === count) floor = best[count - 1]!.score;
    }
  });
  return best;
}

/** Id of the largest value, the lowest of equal ones; -1 where all are -Infinity or NaN. */
export function argmax(values: Float32Array): number {
  let best = -1;
  let max = -Infinity;
  for (let i = 0; i < values.length; i++) {
    if (values[i]! > max) {
      max = values[i]!;
      best = i;
    }
  }
  return best;
}
