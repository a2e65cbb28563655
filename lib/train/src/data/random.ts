import { createHash } from "node:crypto";
import { seeded } from "tinygptv/parts";

/** Uniform numbers in [0, 1). */
export type Random = () => number;

/**
 * The generator of one place in a run: of a set, a pass, a step. What is drawn
 * there depends on seed and place alone, so that nothing drawn before has to be kept.
 */
export function randomAt(seed: number, ...place: readonly (string | number)[]): Random {
  const hash = createHash("sha256").update(JSON.stringify([seed, ...place]));
  return seeded(hash.digest().readUIntBE(0, 6));
}

/** One of a list, each as likely as the others. */
export function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)]!;
}

/** A place in a list of weights, each as likely as its weight says. */
export function pickByWeight(random: Random, weights: readonly number[]): number {
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  const found = weights.findIndex((weight) => (left -= weight) < 0);
  // Rounding may leave a crumb behind the last one.
  return found < 0 ? weights.findLastIndex((weight) => weight > 0) : found;
}

/** The numbers from 0 to `count`, exclusive, in a drawn order (Fisher and Yates). */
export function shuffled(random: Random, count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
