/** An output as rows of numbers and words: what charts draw and tables show. */
import type { ModelInfo } from "@tinygptv/protocol";
import { crossAgreement } from "./divergence.ts";
import { finalText, levelOf, type Output, type Run } from "./output.ts";

export type TableValue = string | number | undefined;
/** Values by the keys of their columns. */
export type TableRow = Record<string, TableValue>;

/** A column of numbers about runs. */
export interface TableColumn {
  key: string;
  label: string;
  unit?: string;
  /** How the number came about; shown wherever it is. */
  measured: string;
}

/** Numbers every run has, and how each is measured. */
export const runColumns: readonly TableColumn[] = [
  {
    key: "total",
    label: "Latency",
    unit: "ms",
    measured:
      "from the request's arrival in the engine to its last token, as the engine reports it",
  },
  {
    key: "queue",
    label: "Queue",
    unit: "ms",
    measured: "waiting for a free place, and for the level to load where it was not in memory",
  },
  {
    key: "image",
    label: "Image",
    unit: "ms",
    measured:
      "decoding, resizing and encoding the pictures; near 0 where their features were cached",
  },
  {
    key: "prefill",
    label: "Prefill",
    unit: "ms",
    measured: "the pass over prompt and picture positions",
  },
  { key: "decode", label: "Decode", unit: "ms", measured: "all steps after the prefill together" },
  {
    key: "tokensPerSecond",
    label: "Tokens per second",
    unit: "/s",
    measured: "tokens of the answer after the first, over decode time",
  },
  { key: "tokens", label: "Tokens", measured: "tokens of the answer" },
  {
    key: "meanLogprob",
    label: "Mean log-probability",
    unit: "nats",
    measured: "mean over the answer's tokens under the level that wrote it, before any processor",
  },
  {
    key: "answerLogprob",
    label: "Log-probability of the first answer",
    unit: "nats",
    measured:
      "mean over the tokens of the first column's answer, read by this level (teacher-forced); nearer 0 is better",
  },
  {
    key: "top1",
    label: "Same best token",
    unit: "%",
    measured:
      "share of the first answer's positions at which this level and the first column's find the same token most probable",
  },
  {
    key: "kl",
    label: "KL divergence, at least",
    unit: "nats",
    measured:
      "mean over the first answer's positions, from the first column's level to this one; a lower bound, for only the listed alternatives are known",
  },
  {
    key: "fileBytes",
    label: "File size",
    unit: "MB",
    measured: "files of the level on disk, as the endpoint lists it",
  },
  {
    key: "memoryBytes",
    label: "Memory",
    unit: "MB",
    measured: "estimate from the level's files and cache, as the endpoint lists it",
  },
  {
    key: "accuracy",
    label: "Accuracy",
    unit: "%",
    measured: "share of the evaluation's answers that meet the expected one",
  },
];

/** What the words in a row are called; a sweep's parameters go by their own names. */
const wordLabels: Readonly<Record<string, string>> = {
  label: "Run",
  model: "Level",
  items: "Questions",
  correct: "Right",
  text: "Answer",
  error: "Error",
};

/** The columns in which any row has a value: which run, what it was asked, its answer, its numbers. */
export function tableColumns(rows: readonly TableRow[]): TableColumn[] {
  const asked = rows
    .flatMap((row) => Object.keys(row))
    .filter((key) => !(key in wordLabels) && !runColumns.some((column) => column.key === key));
  const words = ["label", "model", ...asked, "items", "correct", "text", "error"].map(
    (key): TableColumn => ({ key, label: wordLabels[key] ?? key, measured: "as asked" }),
  );
  return [
    ...new Map([...words, ...runColumns].map((column) => [column.key, column])).values(),
  ].filter(({ key }) => rows.some((row) => row[key] !== undefined));
}

const megabyte = 1_000_000;

/** One row a run; for an evaluation one row a level, with means over its items. */
export function outputTable(output: Output, models: readonly ModelInfo[] = []): TableRow[] {
  const rows = output.runs.map((run, index) => ({
    ...runRow(run, models),
    ...qualityRow(output, index),
  }));
  if (!output.runs.some((run) => run.expected !== undefined)) return rows;
  const labels = [...new Set(output.runs.map((run) => run.label))];
  return labels.map((label) => {
    const runs = output.runs.filter((run) => run.label === label);
    const judged = runs.filter((run) => run.correct !== undefined);
    const own = rows.filter((_, i) => output.runs[i]?.label === label);
    const means = Object.fromEntries(
      runColumns.map(({ key }) => [key, mean(own.map((row) => row[key]))]),
    );
    const correct = judged.filter((run) => run.correct).length;
    return {
      ...means,
      label,
      model: runs[0] && levelOf(runs[0]),
      items: judged.length,
      correct,
      accuracy: judged.length === 0 ? undefined : (100 * correct) / judged.length,
    };
  });
}

function runRow(run: Run, models: readonly ModelInfo[]): TableRow {
  const answer = run.answers.at(-1);
  const info = models.find((model) => model.id === levelOf(run));
  const timings = answer?.timings;
  const count = answer?.tokens.length ?? 0;
  return {
    label: run.label,
    model: levelOf(run),
    ...Object.fromEntries(
      Object.entries(run.coordinates).map(([key, value]) => [
        key,
        typeof value === "boolean" ? String(value) : value,
      ]),
    ),
    text: finalText(run),
    error: run.error?.message,
    total: timings?.total,
    queue: timings?.queue,
    image: timings?.image,
    prefill: timings?.prefill,
    decode: timings?.decode,
    tokens: answer?.usage?.completionTokens ?? count,
    tokensPerSecond:
      timings && timings.decode > 0 && count > 1
        ? (1000 * (count - 1)) / timings.decode
        : undefined,
    meanLogprob: mean(answer?.tokens.map((token) => token.logprob) ?? []),
    fileBytes: info && info.fileBytes / megabyte,
    memoryBytes: info && info.memoryBytes / megabyte,
  };
}

/** A comparison's levels, measured on the first column's answer. */
function qualityRow(output: Output, index: number): TableRow {
  const score = output.scores.find(({ answer, under }) => answer === 0 && under === index);
  const levels = crossAgreement(output, 0, index);
  return {
    answerLogprob: score?.meanLogprob,
    top1: levels && 100 * levels.top1,
    kl: levels?.kl,
  };
}

function mean(values: readonly TableValue[]): number | undefined {
  const numbers = values.filter((value) => typeof value === "number");
  return numbers.length === 0
    ? undefined
    : numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
}
