import { Command } from "commander";
import type { CompareReport, ComparedSubject } from "@tinygptv/evaluate";
import { writeFile } from "node:fs/promises";
import { interruptible } from "../terminal/interrupt.ts";
import { formatBytes, note, printJson, printLine, table } from "../terminal/output.ts";
import { createProgress } from "../terminal/progress.ts";
import { executionOptions, wholeNumber, type ExecutionFlags } from "./options.ts";

interface CompareFlags extends ExecutionFlags {
  images?: string;
  questions?: string;
  limit?: number;
  modules?: boolean;
  maxTokens?: number;
  out?: string;
  json?: boolean;
}

export function compareCommand(): Command {
  const command = new Command("compare")
    .summary("what quantization costs, in numbers")
    .description(
      "Compares levels with the first model's level fp32 (or else fp16): its answers about pictures are put before every level, token by token. Shows how far the distributions are apart, how many answers stay the same, and how many are right where the right answer is known.",
    )
    .argument(
      "<models...>",
      "model folders, or folder:level for single levels; +NAME for an adapter beside",
    )
    .option("--images <folder>", "pictures to ask about; where the pictures of --questions are")
    .option(
      "--questions <file>",
      'JSON lines: {"image": ..., "prompt": ..., "reference": the right answer, if known}',
    )
    .option("--limit <count>", "questions at most, taken evenly from all", wholeNumber(1))
    .option("--modules", "also fp32 with single components of the other levels")
    .option("--max-tokens <count>", "tokens of an answer at most (default 128)", wholeNumber(1))
    .option("--out <file>", "write everything as JSON to a file too")
    .option("--json", "print everything as JSON")
    .action(compareModels);
  return executionOptions(command);
}

async function compareModels(models: string[], flags: CompareFlags): Promise<void> {
  const { compare } = await import("@tinygptv/evaluate");
  const { out, json, ...options } = flags;
  const progress = createProgress(String);
  const report = await interruptible((signal) =>
    compare({
      models,
      ...options,
      signal,
      onProgress: ({ subject, done, total }) => progress.update(subject, done, total),
    }),
  ).finally(progress.clear);
  if (out !== undefined) await writeFile(out, `${JSON.stringify(report, null, 2)}\n`);
  if (json) printJson(report);
  else show(report);
}

function show({ subjects, questions, pictures, tokens }: CompareReport): void {
  const columns = Object.keys(cells);
  const rows = subjects.map((subject) => [
    subject.name,
    ...Object.values(cells).map((cell) => cell(subject)),
  ]);
  printLine(table([["", ...columns], ...rows]));
  note(`${questions} questions about ${pictures} pictures, ${tokens} answer tokens; KL in nats`);
}

const cells: Record<string, (subject: ComparedSubject) => string> = {
  size: ({ bytes }) => formatBytes(bytes),
  "KL mean": ({ agreement }) => small(agreement.klDivergence.mean),
  median: ({ agreement }) => small(agreement.klDivergence.median),
  p99: ({ agreement }) => small(agreement.klDivergence.p99),
  "same top": ({ agreement }) => percent(agreement.sameTop, 1),
  "equal answers": ({ agreement: { equalAnswers } }) =>
    percent(equalAnswers.count, equalAnswers.of),
  "first difference": ({ agreement }) => agreement.firstDivergence?.toFixed(1) ?? "-",
  perplexity: ({ agreement }) => agreement.perplexity.toFixed(4),
  "feature cosine": ({ features }) => features.mean.toFixed(5),
  correct: ({ correct }) => (correct.of === 0 ? "-" : percent(correct.count, correct.of)),
};

const small = (value: number) => (value === 0 ? "0" : value.toPrecision(2));
const percent = (count: number, of: number) => `${((100 * count) / of).toFixed(1)}%`;
