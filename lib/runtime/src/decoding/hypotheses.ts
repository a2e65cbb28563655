/** The finished answers of a beam search, kept and judged as BeamHypotheses of transformers 4.36 does. */
import type { DecodedAnswer } from "./decoder.ts";
import type { BeamDecoding } from "@tinygptv/protocol";

export interface FinishedBeam extends DecodedAnswer {
  readonly score: number;
}

/** Adds a hypothesis to the `capacity` best: one that is not better than the worst of a full list is left out. */
export function keepBest(
  kept: readonly FinishedBeam[],
  hypothesis: FinishedBeam,
  capacity: number,
): readonly FinishedBeam[] {
  if (kept.length < capacity) return [...kept, hypothesis];
  const worst = worstScore(kept);
  if (!(hypothesis.score > worst)) return kept;
  const dropped = kept.findIndex(({ score }) => score === worst);
  return [...kept.filter((_, i) => i !== dropped), hypothesis];
}

/** Best first; of equal scores the one added last, as the reference pops them off a stable sort. */
export function ranked(hypotheses: readonly FinishedBeam[]): FinishedBeam[] {
  return hypotheses.toReversed().toSorted((a, b) => b.score - a.score);
}

/**
 * Whether no open beam is going to beat the worst kept hypothesis. `bestSum` is
 * the best running sum of log-probabilities at `length` new tokens. With
 * `earlyStopping` false this is a guess that assumes the current length;
 * "never" assumes the length that is best for the open beam.
 */
export function isSettled(
  kept: readonly FinishedBeam[],
  bestSum: number,
  length: number,
  maxLength: number,
  { numBeams, earlyStopping, lengthPenalty }: BeamDecoding,
): boolean {
  if (kept.length < numBeams) return false;
  if (earlyStopping === true) return true;
  const endLength = earlyStopping === "never" && lengthPenalty > 0 ? maxLength : length;
  return worstScore(kept) >= bestSum / endLength ** lengthPenalty;
}

function worstScore(hypotheses: readonly FinishedBeam[]): number {
  return Math.min(...hypotheses.map(({ score }) => score));
}
