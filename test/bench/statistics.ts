/** Milliseconds by what was measured, over all rounds. */
export type Samples = Map<string, number[]>;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function addSamples(samples: Samples, key: string, values: readonly number[]): void {
  samples.set(key, [...(samples.get(key) ?? []), ...values]);
}

/** @param at 0.5 is the median, 0.95 what all but a twentieth are below */
export function quantile(values: readonly number[], at: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))]!;
}
