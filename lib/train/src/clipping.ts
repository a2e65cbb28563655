/**
 * Scales gradients down to a norm, as PyTorch's `clip_grad_norm_` does; the reference does not clip.
 * @param gradients changed in place where their norm is larger
 * @param most Infinity measures only
 * @returns the norm over all of them before
 */
export function clipGradients(
  gradients: Iterable<Float32Array>,
  most: number = Number.POSITIVE_INFINITY,
): number {
  const all = [...gradients];
  let squares = 0;
  for (const gradient of all) for (const value of gradient) squares += value * value;
  const norm = Math.sqrt(squares);
  const factor = most / (norm + 1e-6);
  if (factor >= 1) return norm;
  for (const gradient of all) for (let i = 0; i < gradient.length; i++) gradient[i]! *= factor;
  return norm;
}
