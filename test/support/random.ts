import { seeded } from "../../lib/runtime/src/decoding/rng.ts";

/** Random integers for tests: from 0 up to, not including, `limit`. The same seed, the same numbers. */
export function randomBelow(seed: number): (limit: number) => number {
  const next = seeded(seed);
  return (limit) => Math.floor(next() * limit);
}
