import type { AnswerRecord } from "../record.ts";

/**
 * A rule turns answers into a figure. It says of every answer a few numbers whose
 * sums over any set of answers make the figure: so parts of a run and resampled
 * ones are scored alike.
 */
export interface Rule {
  /** As tables have it: `reference`, `official`, `CIDEr`. */
  readonly name: string;
  /** What it counts, in a sentence. */
  readonly description: string;
  /** Numbers of every answer. All are given: some rules weigh words by how common they are among them. */
  measure(records: readonly AnswerRecord[]): number[][];
  /** The figure from sums of these numbers, 1 for all right (CIDEr: up to 10). */
  figure(sums: readonly number[]): number;
}

/** The mean of one number for each answer. */
export function meanRule(
  name: string,
  description: string,
  points: (record: AnswerRecord) => number,
): Rule {
  return {
    name,
    description,
    measure: (records) => records.map((record) => [points(record), 1]),
    figure: ([sum = 0, count = 0]) => ratio(sum, count),
  };
}

/** Of nothing at all it is 0. */
export const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

/** Sums of the numbers of some answers. */
export function sumOf(rows: readonly (readonly number[])[]): number[] {
  const width = rows[0]?.length ?? 0;
  return Array.from({ length: width }, (_, i) => rows.reduce((sum, row) => sum + row[i]!, 0));
}
