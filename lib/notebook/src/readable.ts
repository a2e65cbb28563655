/** Outputs as text, for programs that know nothing of ours. */
import type { AskingCell } from "./cell.ts";
import { finalText, type Output, type Run } from "./output.ts";
import { outputTable, tableColumns, type TableValue } from "./table.ts";

/** The answers, a line for each run where there are several. */
export function plainText({ runs }: Output): string {
  const [only] = runs;
  if (runs.length === 1 && only !== undefined) {
    const answers = only.answers.map((answer) => answer.text);
    return [...answers, ...problemOf(only)].join("\n\n");
  }
  return runs
    .map((run) => `${run.label}: ${[finalText(run), ...problemOf(run)].filter(Boolean).join(" ")}`)
    .join("\n");
}

const problemOf = ({ error }: Run): string[] => (error === undefined ? [] : [error.message]);

/** Columns worth their width on a page. */
const shown = [
  "label",
  "items",
  "correct",
  "text",
  "error",
  "accuracy",
  "total",
  "tokensPerSecond",
];

/** A Markdown table of the runs; a prompt's single answer needs none. */
export function markdownTable(cell: AskingCell, output: Output): string | undefined {
  if (cell.type === "prompt" || output.runs.length === 0) return undefined;
  const rows = outputTable(output);
  const columns = tableColumns(rows).filter(({ key }) => shown.includes(key));
  const line = (fields: readonly string[]): string => `| ${fields.join(" | ")} |\n`;
  return [
    line(columns.map(({ label, unit }) => (unit === undefined ? label : `${label} (${unit})`))),
    line(
      columns.map(({ key }) => (rows.some((row) => typeof row[key] === "number") ? "--:" : "---")),
    ),
    ...rows.map((row) => line(columns.map(({ key }) => field(row[key])))),
  ].join("");
}

function field(value: TableValue): string {
  if (typeof value === "number") return String(Number(value.toPrecision(4)));
  return (value ?? "")
    .replace(/[\\`*_[\]<>|~$&]/g, "\\$&")
    .replace(/\s+/g, " ")
    .trim();
}
