/** `tinygptv eval report`: runs side by side, in the terminal and as a page. */
import { writeFile } from "node:fs/promises";
import { reportPage, reportRuns, verdictOf } from "@tinygptv/evaluate";
import type { BenchmarkReport, Interval } from "@tinygptv/evaluate";
import { note, printJson, printLine, table } from "../terminal/output.ts";
import { percent } from "./scoreTable.ts";

/** Options of `eval report`. */
export interface ReportFlags {
  html?: string;
  data?: string;
  json?: boolean;
}

export async function evalReport(folders: string[], flags: ReportFlags): Promise<void> {
  const report = await reportRuns(folders);
  if (flags.html !== undefined) {
    await writeFile(flags.html, await reportPage(report, flags.data));
    note(flags.html);
  }
  if (flags.json) printJson(report);
  else printLine(report.map(inTables).join("\n\n"));
}

function inTables(report: BenchmarkReport): string {
  const parts = [figures(report), differences(report), types(report)];
  return parts.filter((part) => part !== "").join("\n\n");
}

/** `46.1 [42.3, 49.9]` */
const bracketed = ({ value, low, high }: Interval): string =>
  `${percent(value)} [${percent(low)}, ${percent(high)}]`;

function figures({ title, rules, runs }: BenchmarkReport): string {
  const rows = runs.map(({ name, count, figures: own }) => [
    name,
    count,
    ...rules.map((rule) => bracketed(own[rule.name]!)),
  ]);
  return table([[title, "count", ...rules.map(({ name }) => name)], ...rows]);
}

function differences({ rules, runs: [first, ...others] }: BenchmarkReport): string {
  const rows = others.map(({ name, against }) => [
    name,
    against!.count,
    ...rules.map((rule) => {
      const difference = against!.differences[rule.name]!;
      return `${bracketed(difference)} ${verdictOf(difference)}`;
    }),
  ]);
  if (rows.length === 0) return "";
  return table([[`against ${first!.name}`, "count", ...rules.map(({ name }) => name)], ...rows]);
}

function types({ rules, runs }: BenchmarkReport): string {
  const names = [...new Set(runs.flatMap(({ byType }) => Object.keys(byType)))];
  const rule = rules[0]!.name;
  const rows = names.map((type) => [
    type,
    Math.max(...runs.map(({ byType }) => byType[type]?.count ?? 0)),
    ...runs.map(({ byType }) => {
      const part = byType[type];
      return part === undefined ? "-" : bracketed(part.figures[rule]!);
    }),
  ]);
  if (rows.length === 0) return "";
  return table([[`by kind (${rule})`, "count", ...runs.map(({ name }) => name)], ...rows]);
}
