/**
 * The nano model's own evaluation: all its questions under every level, by kind of
 * question and by part, as the table of docs/results.md.
 *
 *   node test/bench/nanoResults.ts [--runs FOLDER] [--levels fp32,int4]
 *
 * Models and runs stay in the folder (build/nano-results unless given): what was
 * stopped goes on. Without levels all are run and the table is written.
 */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { convert, findSources } from "@tinygptv/convert";
import {
  benchmarkNamed,
  evaluate,
  fromEngine,
  identify,
  readRun,
  reportRuns,
  verdictOf,
} from "@tinygptv/evaluate";
import type { AnswerRecord, Interval, Rule } from "@tinygptv/evaluate";
import { openModel, openSession } from "tinygptv";
import { z } from "zod";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const data = "models/nano/eval/eval.jsonl";
const page = join(repository, "docs/results.md");
const allLevels = ["fp32", "fp16", "int8", "page", "auto", "int4-b32", "int4"];

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "build/nano-results" },
    levels: { type: "string", default: allLevels.join(",") },
  },
});
const runFolder = (level: string) => join(values.runs, `run-${level}`);

process.chdir(repository);
const model = join(values.runs, "model");
if (!existsSync(model)) {
  const { paths, settings } = await findSources("models/nano/checkpoint");
  await convert({
    sources: paths,
    out: model,
    name: "nano",
    levels: allLevels,
    openSession,
    ...(settings !== undefined && { settings }),
  });
}
for (const level of values.levels.split(",")) {
  const opened = await openModel(model, { level, prepacked: false });
  const scores = await evaluate({
    benchmark: "own",
    data,
    out: runFolder(level),
    answerer: fromEngine(opened),
    ...(await identify(model, opened.info)),
  });
  await opened.close();
  console.log(level, scores.figures["judge"]);
}
if (values.levels === allLevels.join(",")) await writeTable();

/** Which part of the evaluation a question belongs to. */
async function splitsById(): Promise<Map<string, string>> {
  const schema = z.object({ id: z.string(), split: z.string() });
  const lines = (await readFile(data, "utf8")).trim().split("\n");
  return new Map(
    lines.map((line) => schema.parse(JSON.parse(line))).map(({ id, split }) => [id, split]),
  );
}

async function writeTable(): Promise<void> {
  const [report] = await reportRuns(allLevels.map(runFolder));
  const runs = await Promise.all(allLevels.map((level) => readRun(runFolder(level))));
  const [rule] = benchmarkNamed("own").rules as [Rule];
  const splits = await splitsById();
  const row = (name: string, isOwn: (record: AnswerRecord) => boolean) => {
    const right = runs.map(({ records }) => {
      const own = records.filter(isOwn);
      return { right: rule.measure(own).filter(([point]) => point === 1).length, of: own.length };
    });
    return [name, String(right[0]!.of), ...right.map((one) => percent(one.right / one.of))];
  };
  const types = [...new Set(runs[0]!.records.map(({ type }) => type!))].toSorted();
  const against = report!.runs.map(({ against: other }) =>
    other === undefined ? "" : difference(other.differences[rule.name]!),
  );
  const rows = [
    ["", "questions", ...allLevels.map((level) => `\`${level}\``)],
    ["---", ...Array.from({ length: allLevels.length + 1 }, () => "---:")],
    row("all", () => true),
    ["difference to `fp32`, 95%", "", ...against],
    ...[...new Set(splits.values())].map((split) =>
      row(`part \`${split}\``, ({ id }) => splits.get(id) === split),
    ),
    ...types.map((type) => row(`\`${type}\``, (record) => record.type === type)),
  ];
  const table = rows.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  const text = await readFile(page, "utf8");
  const marked = /(<!-- made by test\/bench\/nanoResults\.ts -->\n)[^]*?(<!-- end -->)/;
  await writeFile(
    page,
    text.replace(marked, (_, begin: string, end: string) => `${begin}\n${table}\n\n${end}`),
  );
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}

function difference(interval: Interval): string {
  const { value, low, high } = interval;
  const mark = verdictOf(interval) === "no difference shown" ? "" : " *";
  return `${percent(value)} (${percent(low)} to ${percent(high)})${mark}`;
}
