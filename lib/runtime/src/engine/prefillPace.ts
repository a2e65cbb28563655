/**
 * How many positions of prompts a forward pass may take so that it lasts about
 * as long as wanted. That is learnt from the passes run: a position takes
 * microseconds in one model and ten milliseconds in another, and more the more
 * positions it has to look back at.
 */
export interface PrefillPace {
  /** Positions for a pass of about `milliseconds` over a prompt of which `past` positions have run. */
  fit(past: number, milliseconds: number): number;
  /** Says how long a pass of so many positions, over so many before them, took. */
  note(pass: { positions: number; past: number; milliseconds: number }): void;
}

export interface ChunkSizes {
  /** Fewer do not pay: a pass reads all weights whatever it computes. The first pass has so many. */
  readonly least: number;
  /** What bounds the memory of a pass. */
  readonly most: number;
}

export const chunkSizes: ChunkSizes = { least: 8, most: 128 };

/** What a pass counts after the next one: a first pass that waits for a disk is soon forgotten. */
const memory = 0.75;
/** Pasts that differ by less say little about what looking back costs. */
const spread = 256;

/** Fits milliseconds a position = rate + slope · past, each position counting alike, newer passes more. */
export function createPrefillPace({ least, most }: ChunkSizes = chunkSizes): PrefillPace {
  let weight = 0;
  let time = 0;
  let pasts = 0;
  let pastSquares = 0;
  let pastTimes = 0;
  let largest = least / 2;

  function perPosition(past: number): number {
    const meanPast = pasts / weight;
    const rate = time / weight;
    const variance = pastSquares / weight - meanPast ** 2;
    const slope = (pastTimes / weight - meanPast * rate) / (variance + spread ** 2);
    return Math.max(rate / 4, rate + Math.max(0, slope) * (past - meanPast));
  }

  return {
    fit(past, milliseconds) {
      const fitting = weight === 0 ? 0 : Math.floor(milliseconds / perPosition(past));
      // At most twice what has been tried: longer passes may cost more a position.
      return Math.max(least, Math.min(most, 2 * largest, fitting));
    },
    note({ positions, past, milliseconds }) {
      const add = (sum: number, value: number) => memory * sum + value;
      weight = add(weight, positions);
      time = add(time, milliseconds);
      pasts = add(pasts, positions * past);
      pastSquares = add(pastSquares, positions * past ** 2);
      pastTimes = add(pastTimes, milliseconds * past);
      largest = Math.max(largest, positions);
    },
  };
}
