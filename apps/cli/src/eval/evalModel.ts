/** `tinygptv eval`: the model runs in this process, or answers behind an endpoint. */
import { splitFolder } from "@tinygptv/model/disk";
import { join } from "node:path";
import {
  benchmarkNamed,
  benchmarkNames,
  evaluate,
  fromEngine,
  identify,
  openEndpoint,
} from "@tinygptv/evaluate";
import type { Answerer, BenchmarkName, RunIdentity, Scores } from "@tinygptv/evaluate";
import { openModel } from "tinygptv";
import { howToOpen, type ExecutionFlags } from "../commands/options.ts";
import { questionFields, type QuestionFlags } from "../ask/questionFields.ts";
import { usageError } from "../terminal/failure.ts";
import { interruptible } from "../terminal/interrupt.ts";
import { note, noteWeights, printJson, printLine } from "../terminal/output.ts";
import { createProgress } from "../terminal/progress.ts";
import { scoreTable } from "./scoreTable.ts";

/** Options of `eval` besides the decoding parameters. */
export interface EvalFlags extends QuestionFlags, ExecutionFlags {
  benchmark?: string;
  data?: string;
  images?: string;
  split?: string[];
  limit?: number;
  url?: string;
  batch: number;
  level?: string;
  out?: string;
  json?: boolean;
}

/** Who answers, what is known of it, and how it is let go. */
interface Subject extends RunIdentity {
  answerer: Answerer;
  close(): Promise<void>;
}

export async function evalModel(model: string | undefined, flags: EvalFlags): Promise<void> {
  const { benchmark, data } = flags;
  if (benchmark === undefined)
    throw usageError(`benchmark: want --benchmark, one of ${benchmarkNames.join(", ")}`);
  if (data === undefined) throw usageError("data: want --data, the data set's folder");
  const { title, rules } = benchmarkNamed(benchmark);
  const { decoding = {}, ...question } = questionFields(flags);
  const subject = await (flags.url === undefined
    ? openFolder(model, flags)
    : openUrl(flags.url, model, flags));
  const out = flags.out ?? join("runs", `${benchmark}-${fileName(subject)}`);
  const progress = createProgress(String);
  try {
    const scores = await interruptible((signal) =>
      evaluate({
        ...question,
        benchmark: benchmark as BenchmarkName,
        data,
        images: flags.images,
        splits: flags.split,
        limit: flags.limit,
        answerer: subject.answerer,
        model: subject.model,
        versions: subject.versions,
        batch: flags.batch,
        decoding,
        out,
        signal,
        onProgress: (done, total) => progress.update(title, done, total),
      }),
    ).finally(progress.clear);
    if (flags.json) printJson(scores);
    else show(title, scores, rules);
    note(`${out}: answers.jsonl and scores.json; tinygptv eval report ${out} shows more`);
  } finally {
    await subject.close();
  }
}

async function openFolder(argument: string | undefined, flags: EvalFlags): Promise<Subject> {
  if (argument === undefined) throw usageError("model: want a model folder, or --url");
  const { folder, ...adapter } = await splitFolder(argument);
  const model = await openModel(folder, {
    maxBatch: flags.batch,
    ...adapter,
    ...howToOpen(flags),
  });
  noteWeights(model.info);
  return {
    ...(await identify(folder, model.info)),
    answerer: fromEngine(model),
    close: () => model.close(),
  };
}

async function openUrl(url: string, name: string | undefined, flags: EvalFlags): Promise<Subject> {
  for (const option of ["level", "provider", "precision"] as const)
    if (flags[option] !== undefined)
      throw usageError(`${option}: want none with --url: the endpoint decides`);
  const endpoint = await openEndpoint({ url, model: name, key: process.env["OPENAI_API_KEY"] });
  if (endpoint.info !== undefined) noteWeights(endpoint.info);
  return { ...endpoint.identity, answerer: endpoint, close: async () => {} };
}

/** `nano-fp32`, `nano-greetings-fp32`, with nothing that a file system minds. */
const fileName = ({ model: { name, level } }: Subject): string =>
  [name, ...(level === undefined ? [] : [level])].join("-").replace(/[^\w.-]+/g, "-");

function show(
  title: string,
  scores: Scores,
  rules: readonly { name: string; description: string }[],
) {
  printLine(`${title}, ${scores.count} questions`);
  printLine(scoreTable(scores));
  for (const { name, description } of rules) note(`${name}: ${description}`);
}
