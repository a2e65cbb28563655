/**
 * The loss scale of half precision, as PyTorch's GradScaler moves it: small gradients
 * would be zero in float16, so the loss is multiplied before the backward pass and the
 * gradients divided after it. A step whose gradients overflow is skipped.
 */

export interface LossScale {
  readonly scale: number;
  /** Steps without overflow since the scale last changed. */
  readonly cleanSteps: number;
}

/** PyTorch's defaults. */
export const lossScaling = { start: 65_536, growth: 2, backoff: 0.5, growthInterval: 2000 };

/** Before the first step. */
export const initialLossScale: LossScale = { scale: lossScaling.start, cleanSteps: 0 };

/**
 * Divides gradients by the scale, in place.
 * @returns whether all are finite; where not, the step is to be skipped
 */
export function unscale(gradients: Iterable<Float32Array>, { scale }: LossScale): boolean {
  const inverse = Math.fround(1 / scale);
  let isFinite = true;
  for (const gradient of gradients)
    for (let i = 0; i < gradient.length; i++) {
      const value = gradient[i]!;
      // NaN and the infinities are what does not cancel.
      if (value - value !== 0) isFinite = false;
      gradient[i] = value * inverse;
    }
  return isFinite;
}

/** The scale of the next step: halved after an overflow, doubled after 2000 steps without. */
export function nextLossScale({ scale, cleanSteps }: LossScale, wasFinite: boolean): LossScale {
  const { growth, backoff, growthInterval } = lossScaling;
  if (!wasFinite) return { scale: scale * backoff, cleanSteps: 0 };
  if (cleanSteps + 1 < growthInterval) return { scale, cleanSteps: cleanSteps + 1 };
  return { scale: scale * growth, cleanSteps: 0 };
}
