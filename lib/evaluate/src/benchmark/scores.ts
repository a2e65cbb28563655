/** Figures of a run, overall and by kind of question. */
import type { AnswerRecord } from "./record.ts";
import { sumOf, type Rule } from "./rules/rule.ts";

/** A figure for each rule, by its name, 1 for all right. */
export type Figures = Readonly<Record<string, number>>;

/** What a run came to. */
export interface Scores {
  readonly count: number;
  readonly figures: Figures;
  /** By kind of question, in the order of their names; empty where there are no kinds. */
  readonly byType: Readonly<Record<string, { readonly count: number; readonly figures: Figures }>>;
}

/** What every rule says of every answer: a row of numbers each. */
export function measureAll(
  rules: readonly Rule[],
  records: readonly AnswerRecord[],
): ReadonlyMap<Rule, number[][]> {
  return new Map(rules.map((rule) => [rule, rule.measure(records)]));
}

/** Figures of some answers, by their indices. */
function figuresOf(
  measured: ReadonlyMap<Rule, readonly (readonly number[])[]>,
  indices: readonly number[],
): Figures {
  return Object.fromEntries(
    [...measured].map(([rule, rows]) => [
      rule.name,
      rule.figure(sumOf(indices.map((index) => rows[index]!))),
    ]),
  );
}

/** Indices of answers by kind of question, in the order of their names. */
export function indicesByType(records: readonly AnswerRecord[]): [string, number[]][] {
  const groups = Map.groupBy(records.keys(), (index) => records[index]!.type);
  return [...groups]
    .flatMap(([type, indices]): [string, number[]][] =>
      type === undefined ? [] : [[type, indices]],
    )
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

export function scoreRecords(rules: readonly Rule[], records: readonly AnswerRecord[]): Scores {
  const measured = measureAll(rules, records);
  return {
    count: records.length,
    figures: figuresOf(measured, [...records.keys()]),
    byType: Object.fromEntries(
      indicesByType(records).map(([type, indices]) => [
        type,
        { count: indices.length, figures: figuresOf(measured, indices) },
      ]),
    ),
  };
}
