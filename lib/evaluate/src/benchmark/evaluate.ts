/** A benchmark, start to end: questions, answers as they come, figures. */
import { createHash } from "node:crypto";
import { abortError, resolveDecoding, version } from "@tinygptv/protocol";
import type { DecodingParams, Task, Template } from "@tinygptv/protocol";
import { readDataset, type Row } from "@tinygptv/datasets";
import { inOrder } from "tinygptv";
import type { Answerer } from "./answerer.ts";
import { benchmarkNamed, type Benchmark, type BenchmarkName } from "./benchmarks.ts";
import { askAbout, evenly } from "./items.ts";
import type { Asking } from "./question.ts";
import { openRun, type RunSettings } from "./runFolder.ts";
import { scoreRecords, type Scores } from "./scores.ts";

/** What is evaluated, on what, and how. */
export interface EvaluateOptions {
  benchmark: BenchmarkName;
  /** Folder of the data set, or the annotation file in one. */
  data: string;
  /** Where its pictures are, if not below that. */
  images?: string | undefined;
  /** What it is usually evaluated on, unless given. */
  splits?: readonly string[] | undefined;
  /** Questions at most, taken evenly from all. */
  limit?: number | undefined;
  /** Who answers, and what is known of it for the results. */
  answerer: Answerer;
  model: RunSettings["model"];
  /** Versions of what computes, besides ours and Node's. */
  versions?: Readonly<Record<string, string>>;
  /** Questions asked at once; 8 unless given. */
  batch?: number;
  /** Instead of the benchmark's own. */
  template?: Template | undefined;
  task?: Task | undefined;
  imageMode?: "display" | "reference" | undefined;
  decoding?: DecodingParams;
  /** Folder of the run; one that is there already goes on. */
  out: string;
  signal?: AbortSignal;
  /** Called after each answer, and before the first with those of before. */
  onProgress?: (done: number, total: number) => void;
}

/**
 * Evaluates. Answers are written as they come, in the order of the questions.
 * @throws TinyGptvError "parameter" and "image" for the data, naming file and line; what the answerer throws; "aborted"
 */
export async function evaluate(options: EvaluateOptions): Promise<Scores> {
  const { data, images, splits, limit, out, answerer, batch = 8, onProgress } = options;
  const benchmark = benchmarkNamed(options.benchmark);
  const asking = askingOf(benchmark, options);
  const rows = evenly(await readDataset(options.benchmark, { data, images, splits }), limit);
  const run = await openRun(
    out,
    {
      format: 1,
      benchmark: options.benchmark,
      data: {
        path: data,
        ...(images !== undefined && { images }),
        ...(splits !== undefined && { splits: [...splits] }),
        ...(limit !== undefined && { limit }),
        sha256: hashOf(rows),
        count: rows.length,
      },
      model: options.model,
      parameters: { ...asking },
      versions: { tinygptv: version, node: process.version, ...options.versions },
    },
    rows.map(({ id }) => id),
  );
  const records = [...run.records];
  const left = new AbortController();
  const signal = AbortSignal.any([left.signal, ...(options.signal ? [options.signal] : [])]);
  try {
    onProgress?.(records.length, rows.length);
    const answers = inOrder(rows.slice(records.length), batch, (row) =>
      askAbout(row, benchmark, asking, answerer, signal),
    );
    for await (const record of answers) {
      if (options.signal?.aborted) throw abortError(options.signal);
      await run.append(record);
      records.push(record);
      onProgress?.(records.length, rows.length);
    }
    const scores = scoreRecords(benchmark.rules, records);
    await run.finish(scores);
    return scores;
  } finally {
    // Of the questions that are still being answered nobody waits for the answer.
    left.abort();
    await run.close();
  }
}

function askingOf(benchmark: Benchmark, options: EvaluateOptions): Asking {
  const { wording, template, maxNewTokens } = benchmark;
  const decoding = { maxNewTokens, ...options.decoding };
  resolveDecoding(decoding);
  return {
    template: options.template ?? template,
    task: options.task ?? wording.task,
    // Boxes are in pixels as the file has them, and the reference does not turn pictures either.
    imageMode: options.imageMode ?? "reference",
    decoding,
  };
}

/** Of what is asked and what is right; pictures are known by name. */
function hashOf(rows: readonly Row[]): string {
  const hash = createHash("sha256");
  for (const { at: _, picture, ...row } of rows)
    hash.update(JSON.stringify({ ...row, picture: picture.name }));
  return hash.digest("hex");
}
