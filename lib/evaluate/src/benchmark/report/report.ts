/** Runs side by side: what each came to, whether one is really better, where they disagree. */
import { readRun, type RunScores } from "../runFolder.ts";
import { benchmarkNamed, type Benchmark, type BenchmarkName } from "../benchmarks.ts";
import type { AnswerRecord } from "../record.ts";
import { indicesByType, measureAll } from "../scores.ts";
import { intervals, pairedDifferences, type Interval, type Measured } from "./bootstrap.ts";

/** Figures by the names of their rules. */
type Intervals = Readonly<Record<string, Interval>>;

/** A run as a report shows it. */
export interface ReportedRun {
  readonly folder: string;
  /** `nano:int4`, with what runs it or where it is. */
  readonly name: string;
  readonly settings: RunScores;
  readonly count: number;
  readonly figures: Intervals;
  readonly byType: Readonly<
    Record<string, { readonly count: number; readonly figures: Intervals }>
  >;
  /** How much larger its figures are than the first run's, over the questions that both have; absent of the first. */
  readonly against?: { readonly count: number; readonly differences: Intervals };
}

/** A question that runs answered with different success. */
export interface Disagreement {
  readonly id: string;
  readonly image: string;
  readonly type: string | undefined;
  readonly prompt: string;
  /** What was right, in words. */
  readonly expected: string;
  /** Of each run, in their order: what it answered, and its points under the first rule. */
  readonly answers: readonly { readonly text: string; readonly points: number }[];
}

/** Runs of one benchmark. */
export interface BenchmarkReport {
  readonly benchmark: BenchmarkName;
  readonly title: string;
  readonly rules: readonly { readonly name: string; readonly description: string }[];
  readonly runs: readonly ReportedRun[];
  /** Those that differ most first; of a single run the answers with the fewest points. */
  readonly disagreements: readonly Disagreement[];
  /** How many questions there is any disagreement about. */
  readonly disagreementCount: number;
}

/** All that a report of some runs says, a part for each benchmark. */
export type RunReport = readonly BenchmarkReport[];

type OpenedRun = Awaited<ReturnType<typeof readRun>> & { folder: string };

/** Questions shown where runs disagree. */
const shown = 48;

/**
 * Compares finished runs with the first of their benchmark.
 * @throws TinyGptvError "parameter" for folders without a finished run
 */
export async function reportRuns(folders: readonly string[]): Promise<RunReport> {
  const runs = await Promise.all(
    folders.map(async (folder) => ({ folder, ...(await readRun(folder)) })),
  );
  const groups = Map.groupBy(runs, ({ scores }) => scores.benchmark as BenchmarkName);
  return [...groups].map(([name, own]) => reportGroup(name, benchmarkNamed(name), own));
}

function reportGroup(
  benchmark: BenchmarkName,
  { title, rules }: Benchmark,
  runs: readonly OpenedRun[],
): BenchmarkReport {
  const [first] = runs;
  const named = (found: readonly Interval[]): Intervals =>
    Object.fromEntries(found.map((interval, i) => [rules[i]!.name, interval]));
  const reported = runs.map((run): ReportedRun => {
    const measured = measureAll(rules, run.records);
    return {
      folder: run.folder,
      name: nameOf(run.scores),
      settings: run.scores,
      count: run.records.length,
      figures: named(intervals(measured)),
      byType: Object.fromEntries(
        indicesByType(run.records).map(([type, indices]) => [
          type,
          { count: indices.length, figures: named(intervals(partOf(measured, indices))) },
        ]),
      ),
      ...(run !== first && { against: difference(first!, run) }),
    };
  });
  return {
    benchmark,
    title,
    rules: rules.map(({ name, description }) => ({ name, description })),
    runs: reported,
    ...disagreementsOf(rules[0]!, runs),
  };

  function difference(a: OpenedRun, b: OpenedRun): NonNullable<ReportedRun["against"]> {
    const [left, right] = inCommon([a, b]);
    const found = pairedDifferences(measureAll(rules, left!), measureAll(rules, right!));
    return { count: left!.length, differences: named(found) };
  }
}

function nameOf({ model: { name, level, provider, url } }: RunScores): string {
  const where = url ?? (provider === undefined || provider === "cpu" ? undefined : provider);
  const what = level === undefined ? name : `${name}:${level}`;
  return where === undefined ? what : `${what} (${where})`;
}

const partOf = (measured: Measured, indices: readonly number[]): Measured =>
  new Map([...measured].map(([rule, rows]) => [rule, indices.map((index) => rows[index]!)]));

/** The answers to the questions that all runs have, in the order of the first. */
function inCommon(runs: readonly OpenedRun[]): AnswerRecord[][] {
  const [first, ...others] = runs.map(
    ({ records }) => new Map(records.map((record) => [record.id, record])),
  );
  const ids = [...first!.keys()].filter((id) => others.every((records) => records.has(id)));
  return [first!, ...others].map((records) => ids.map((id) => records.get(id)!));
}

function disagreementsOf(
  rule: Benchmark["rules"][number],
  runs: readonly OpenedRun[],
): Pick<BenchmarkReport, "disagreements" | "disagreementCount"> {
  const answers = inCommon(runs);
  const points = answers.map((records) => rule.measure(records).map((row) => rule.figure(row)));
  const questions = answers[0]!.map((record, i) => {
    const own = points.map((ofRun) => ofRun[i]!);
    const gap = runs.length > 1 ? Math.max(...own) - Math.min(...own) : 1 - own[0]!;
    return { record, i, own, gap };
  });
  const differing = questions.filter(({ gap }) => gap > 0).toSorted((a, b) => b.gap - a.gap);
  return {
    disagreementCount: differing.length,
    disagreements: differing.slice(0, shown).map(({ record, i, own }) => ({
      id: record.id,
      image: record.image,
      type: record.type,
      prompt: record.prompt,
      expected: inWords(record.expected),
      answers: answers.map((records, run) => ({ text: records[i]!.answer, points: own[run]! })),
    })),
  };
}

function inWords(expected: AnswerRecord["expected"]): string {
  switch (expected.kind) {
    case "question":
      return [...new Set(expected.answers)].join(" / ");
    case "label":
      return String(expected.label);
    case "choice":
      return `${expected.choices[expected.answer]} (of ${expected.choices.join(", ")})`;
    case "captions":
      return expected.captions.join(" / ");
    case "phrase":
      return expected.boxes
        .map((box) => `(${box.map((side) => Math.round(side)).join(", ")})`)
        .join(" ");
  }
}
