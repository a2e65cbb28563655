/**
 * A run on a disk: `answers.jsonl`, a line for every question in their order, and
 * `scores.json`, which says from the start what is run and at the end what it came
 * to. A run that was killed goes on behind its last whole line.
 */
import { mkdir, open, readFile, rename, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { TinyGptvError } from "@tinygptv/protocol";
import { checkEntry, wrongData } from "@tinygptv/datasets";
import { z } from "zod";
import { recordSchema, type AnswerRecord } from "./record.ts";
import type { Scores } from "./scores.ts";

const figures = z.record(z.string(), z.number());

/** What a run is of: two runs of the same settings have the same answers. */
export const settingsSchema = z.strictObject({
  format: z.literal(1),
  benchmark: z.string(),
  data: z.strictObject({
    path: z.string(),
    images: z.string().optional(),
    splits: z.array(z.string()).optional(),
    limit: z.number().optional(),
    /** Of the questions and what is right, in their order. */
    sha256: z.string(),
    count: z.number(),
  }),
  model: z.strictObject({
    name: z.string(),
    level: z.string().optional(),
    weights: z.string().optional(),
    /** Of the files of its level; unknown behind an endpoint. */
    sha256: z.string().optional(),
    url: z.string().optional(),
    provider: z.string().optional(),
    execution: z.string().optional(),
  }),
  parameters: z.record(z.string(), z.unknown()),
  versions: z.record(z.string(), z.string()),
});
/** Benchmark, data, model, parameters and versions of a run. */
export type RunSettings = z.infer<typeof settingsSchema>;

const scoresSchema = settingsSchema.extend({
  /** Absent while it is not finished. */
  scores: z
    .strictObject({
      count: z.number(),
      figures,
      byType: z.record(z.string(), z.strictObject({ count: z.number(), figures })),
    })
    .optional(),
});
/** What `scores.json` holds. */
export type RunScores = z.infer<typeof scoresSchema>;

/** A run that is under way. */
export interface OpenedRun {
  /** Answers of before, in the order of the questions. */
  readonly records: readonly AnswerRecord[];
  append(record: AnswerRecord): Promise<void>;
  finish(scores: Scores): Promise<void>;
  close(): Promise<void>;
}

const answersName = "answers.jsonl";
const scoresName = "scores.json";

/**
 * Starts a run in a folder, or goes on with the one that is there.
 * @param ids of the questions, in their order
 * @throws TinyGptvError "parameter" where the folder holds a run of other settings, or answers to other questions
 */
export async function openRun(
  folder: string,
  settings: RunSettings,
  ids: readonly string[],
): Promise<OpenedRun> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, answersName);
  const before = await readScores(folder).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (before === undefined) await writeScores(folder, settings);
  else requireSame(folder, before, settings);
  const records = await readWholeLines(path);
  requireOrder(path, records, ids);
  const file = await open(path, "a");
  return {
    records,
    append: (record) => file.appendFile(`${JSON.stringify(record)}\n`),
    finish: (scores) => writeScores(folder, { ...settings, scores }),
    close: () => file.close(),
  };
}

/** @throws TinyGptvError "parameter" where it is no finished run */
export async function readRun(
  folder: string,
): Promise<{ scores: RunScores & { scores: Scores }; records: AnswerRecord[] }> {
  const scores = await readScores(folder).catch((error: unknown) => {
    if (isMissing(error)) throw wrongData(folder, `the folder of a run with ${scoresName}`, "none");
    throw error;
  });
  if (scores.scores === undefined)
    throw wrongData(folder, "a finished run", "one that was stopped: run the same command again");
  const text = await readFile(join(folder, answersName), "utf8");
  const records = parseLines(join(folder, answersName), text);
  if (records.length !== scores.scores.count)
    throw wrongData(folder, `${scores.scores.count} answers`, String(records.length));
  return { scores: { ...scores, scores: scores.scores }, records };
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === "ENOENT";

async function readScores(folder: string): Promise<RunScores> {
  const path = join(folder, scoresName);
  const text = await readFile(path, "utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw wrongData(path, "JSON", "text that does not parse", cause);
  }
  return checkEntry(scoresSchema, value, path);
}

/** In one step, so that whoever is killed meanwhile leaves the file as it was. */
async function writeScores(folder: string, scores: RunScores): Promise<void> {
  const path = join(folder, scoresName);
  await writeFile(`${path}.new`, `${JSON.stringify(scores, null, 2)}\n`);
  await rename(`${path}.new`, path);
}

function requireSame(folder: string, before: RunScores, settings: RunSettings): void {
  for (const name of Object.keys(settingsSchema.shape) as (keyof RunSettings)[]) {
    const [was, is] = [before[name], settings[name]].map((value) => JSON.stringify(value));
    if (!isDeepStrictEqual(JSON.parse(was!), JSON.parse(is!)))
      throw new TinyGptvError(
        "parameter",
        `${folder}: want a run with ${name} ${was} to go on with, got ${is}; choose another folder with --out`,
        { subject: name },
      );
  }
}

/** Lines of the file; what a killed run left of one is cut off. */
async function readWholeLines(path: string): Promise<AnswerRecord[]> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return [];
  const bytes = await readFile(path);
  const end = bytes.lastIndexOf(0x0a) + 1;
  if (end < bytes.length) await truncate(path, end);
  return parseLines(path, bytes.subarray(0, end).toString("utf8"));
}

function parseLines(path: string, text: string): AnswerRecord[] {
  return text
    .split("\n")
    .slice(0, -1)
    .map((line, i) => {
      const at = `${path}:${i + 1}`;
      let value: unknown;
      try {
        value = JSON.parse(line);
      } catch (cause) {
        throw wrongData(at, "JSON", "text that does not parse", cause);
      }
      return checkEntry(recordSchema, value, at);
    });
}

function requireOrder(
  path: string,
  records: readonly AnswerRecord[],
  ids: readonly string[],
): void {
  records.forEach(({ id }, i) => {
    if (id !== ids[i])
      throw wrongData(`${path}:${i + 1}`, `an answer to ${ids[i] ?? "nothing"}`, `one to ${id}`);
  });
}
