/**
 * How sure a figure is: the bootstrap (Efron, 1979). The answers are drawn again
 * and again with replacement, as many as there are, and the figure is computed
 * of each draw; the middle 95% of them are the interval. Two runs over the same
 * questions are drawn together, so that a hard question is hard for both.
 */
import { seeded } from "tinygptv/parts";
import type { Rule } from "../rules/rule.ts";

/** A figure and where 95% of resampled ones lie. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Draws; with so many an interval's ends move by a few hundredths of its width. */
const draws = 1000;

/** The same draws for everybody, so that reports of the same runs are the same. */
const seed = 1;

/** What rules say of answers. */
export type Measured = ReadonlyMap<Rule, readonly (readonly number[])[]>;

/** Figures of answers with their intervals, in the order of the rules. */
export function intervals(measured: Measured): Interval[] {
  const table = layOut(measured);
  const drawn = indexDraws(table.count, (indices) => figuresOf(table, indices));
  return figuresOf(table, allOf(table)).map((value, rule) => ({
    value,
    ...middle(drawn.map((figures) => figures[rule]!)),
  }));
}

/** How much larger the figures of `b` are than those of `a`, answers to the same questions in the same order. */
export function pairedDifferences(a: Measured, b: Measured): Interval[] {
  const [left, right] = [layOut(a), layOut(b)];
  const differences = (indices: Uint32Array): number[] => {
    const before = figuresOf(left, indices);
    return figuresOf(right, indices).map((figure, rule) => figure - before[rule]!);
  };
  const drawn = indexDraws(left.count, differences);
  return differences(allOf(left)).map((value, rule) => ({
    value,
    ...middle(drawn.map((one) => one[rule]!)),
  }));
}

/** Numbers of all rules, one answer after the other. */
interface Table {
  readonly rules: readonly Rule[];
  readonly count: number;
  readonly rows: Float64Array;
  /** Where in a row each rule's numbers begin; last the row's length. */
  readonly starts: readonly number[];
}

function layOut(measured: Measured): Table {
  const columns = [...measured.values()];
  const starts = [0];
  for (const rows of columns) starts.push(starts.at(-1)! + (rows[0]?.length ?? 0));
  const count = columns[0]?.length ?? 0;
  const width = starts.at(-1)!;
  const rows = new Float64Array(count * width);
  for (let i = 0; i < count; i++)
    columns.forEach((column, rule) => rows.set(column[i]!, i * width + starts[rule]!));
  return { rules: [...measured.keys()], count, rows, starts };
}

const allOf = ({ count }: Table): Uint32Array => Uint32Array.from({ length: count }, (_, i) => i);

function figuresOf({ rules, rows, starts }: Table, indices: Uint32Array): number[] {
  const width = starts.at(-1)!;
  const sums = new Float64Array(width);
  for (const index of indices)
    for (let column = 0; column < width; column++) sums[column]! += rows[index * width + column]!;
  return rules.map((rule, i) => rule.figure([...sums.subarray(starts[i], starts[i + 1])]));
}

function indexDraws<T>(count: number, compute: (indices: Uint32Array) => T): T[] {
  const random = seeded(seed);
  const indices = new Uint32Array(count);
  return Array.from({ length: draws }, () => {
    for (let i = 0; i < count; i++) indices[i] = Math.floor(random() * count);
    return compute(indices);
  });
}

/** The middle 95%. */
function middle(values: number[]): { low: number; high: number } {
  const sorted = values.toSorted((x, y) => x - y);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return { low: at(0.025), high: at(0.975) };
}
