/** The learning rate of every step, as the reference sets it before the step (`linear_warmup_cosine_lr`). */

export interface Schedule {
  /** Rate of step 0. */
  readonly start: number;
  /** What the warm-up leads to. */
  readonly peak: number;
  /** What the cosine leads to; above `peak` in the reference's stage 4, whose rate rises. */
  readonly final: number;
  readonly warmupSteps: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
}

/** The same rate at every step. */
export function constantRate(
  rate: number,
  length: Pick<Schedule, "epochs" | "stepsPerEpoch">,
): Schedule {
  return { start: rate, peak: rate, final: rate, warmupSteps: 0, ...length };
}

/**
 * A straight line to the peak while the steps in all are fewer than `warmupSteps`, then half a
 * cosine to the final rate. Two things are the reference's and look like mistakes:
 *
 * - The line goes by the step of the epoch: with a warm-up longer than an epoch it is a saw.
 * - The cosine is counted from the first step of the run, so the rate jumps at the end of the warm-up.
 *
 * @param epoch and `step` within it, both from 0
 */
export function learningRate(
  { start, peak, final, warmupSteps, epochs, stepsPerEpoch }: Schedule,
  epoch: number,
  step: number,
): number {
  const total = epoch * stepsPerEpoch + step;
  if (total < warmupSteps) return Math.min(peak, start + ((peak - start) * step) / warmupSteps);
  const done = total / (epochs * stepsPerEpoch);
  return (peak - final) * 0.5 * (1 + Math.cos(Math.PI * done)) + final;
}
