/** An answer of a comparison as its levels read it, token by token. */
import type { AnswerToken } from "@tinygptv/protocol";
import { firstDivergence } from "./divergence.ts";
import type { Output } from "./output.ts";

/** One level's reading of an answer, teacher-forced. */
export interface Reading {
  /** Index of the run whose level read it. */
  run: number;
  tokens: readonly AnswerToken[];
}

/**
 * One answer under every level, in the order of the columns; of columns that share
 * a level, the first stands for it. All readings have the same tokens: a level
 * that cuts the text into others than the first level does is left out.
 * @param answer index of the run whose answer it is
 */
export function readingsOf(output: Output, answer: number): Reading[] {
  const readings = output.scores
    .filter((score) => score.answer === answer)
    .map(({ under, tokens }) => ({ run: under, tokens }))
    .toSorted((a, b) => a.run - b.run);
  const level = (reading: Reading) => output.runs[reading.run]?.model;
  return readings.filter(
    (reading, i) =>
      firstDivergence(readings[0]?.tokens ?? [], reading.tokens) === undefined &&
      readings.findIndex((other) => level(other) === level(reading)) === i,
  );
}

/** Whether a level would have gone on with another token than the answer did; false where it listed no alternatives. */
export function prefersAnother(token: AnswerToken | undefined): boolean {
  const best = token?.top?.[0];
  return best !== undefined && best.id !== token?.id;
}

/** Positions at which the levels do not all find the same token most probable. */
export function disagreements(readings: readonly Reading[]): number[] {
  return (readings[0]?.tokens ?? []).flatMap((_, position) => {
    const best = readings.flatMap(({ tokens }) => tokens[position]?.top?.[0]?.id ?? []);
    return new Set(best).size > 1 ? [position] : [];
  });
}
