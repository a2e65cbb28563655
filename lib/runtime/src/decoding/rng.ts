/** Uniform numbers in [0, 1). */
export type Rng = () => number;

/**
 * A seeded generator: xoshiro128** (Blackman and Vigna, 2018), its state filled
 * by SplitMix64 as its authors advise, two outputs a number for 53 random bits.
 * Only integer arithmetic, so the same seed gives the same numbers everywhere.
 */
export function seeded(seed: number): Rng {
  const next = xoshiro128(splitMix64(BigInt(seed)));
  return () => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53;
}

type State = [number, number, number, number];

/** 32-bit outputs as unsigned numbers; the state must not be all zero. */
export function xoshiro128(state: State): () => number {
  let [a, b, c, d] = state;
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return result;
  };
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function splitMix64(seed: bigint): State {
  let counter = seed;
  const next = () => {
    counter = BigInt.asUintN(64, counter + 0x9e3779b97f4a7c15n);
    let z = counter;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    return z ^ (z >> 31n);
  };
  const [first, second] = [next(), next()];
  const words = [first, first >> 32n, second, second >> 32n];
  return words.map((word) => Number(BigInt.asIntN(32, word))) as State;
}
