/** The file of a run: YAML, what the command line sets over it, and the plan that comes of both. */
import { fileURLToPath } from "node:url";
import { isCollection, isSeq, LineCounter, parse, parseDocument, type Document } from "yaml";
import { onDisk, readText } from "@tinygptv/model/disk";
import { check, sentence, TinyGptvError, type Fault } from "@tinygptv/protocol";
import { nearest } from "./nearest.ts";
import { runSchema, type RunSettings } from "./schema.ts";

/** The reference's own settings of a stage: everything but `model`, `out` and where data lies (`dataRoot`). */
export function stageRunFile(stage: 1 | 2 | 3 | 4): string {
  return fileURLToPath(new URL(`../../stages/stage${stage}.yaml`, import.meta.url));
}

/**
 * Reads what a run is set to.
 * @param changes `KEY=VALUE` over what the file says: `rate.peak=3e-4`, `data.vqa.batch=4` (an entry of
 *   a list by its name or its number from 0); the value is YAML
 * @throws TinyGptvError "parameter" for what is no setting or no value of one, naming line and key;
 *   "io" for the disk
 */
export async function readRunFile(
  path: string,
  changes: readonly string[] = [],
): Promise<RunSettings> {
  return parseRunFile(await onDisk(path, () => readText(path)), path, changes);
}

/** The same of a text. @param path where it came from, for messages */
export function parseRunFile(
  text: string,
  path: string,
  changes: readonly string[] = [],
): RunSettings {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [mistake] = document.errors;
  if (mistake) {
    const { line } = lines.linePos(mistake.pos[0]);
    throw wrong(`${path}:${line}: want YAML, got ${mistake.message}`, path);
  }
  if (document.contents === null) throw wrong(`${path}: want settings, got an empty file`, path);
  for (const change of changes) apply(document, change);
  const { data, faults } = check(runSchema, document.toJS({ maxAliasCount: 100 }));
  if (faults === undefined) return data;
  const told = faults.slice(0, 5).map((fault) => {
    const where = lineOf(document, fault.path, lines, changes);
    return `${path}${where}: ${sentence(fault, "the file")}${suggestion(fault)}`;
  });
  throw wrong(told.join("\n"), String(faults[0].path[0] ?? path));
}

function apply(document: Document, change: string): void {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(change) ?? [];
  if (key === undefined || value === undefined)
    throw wrong(`--set: want KEY=VALUE, got ${JSON.stringify(change)}`, change);
  const path: (string | number)[] = [];
  for (const part of key.trim().split(".")) {
    const here = path.length === 0 ? document.contents : document.getIn(path, true);
    if (here !== undefined && here !== null && !isCollection(here))
      throw wrong(`--set ${key}: want a key below ${path.join(".")}, got a value there`, key);
    path.push(isSeq(here) ? entryOf(here.items.length, document, path, part, key) : part);
  }
  try {
    document.setIn(path, document.createNode(parse(value)));
  } catch (cause) {
    throw wrong(`--set ${key}: want YAML, got ${(cause as Error).message}`, key);
  }
}

/** Which entry of a list is meant, by its number or by its name (or format, which is the name of one that has none). */
function entryOf(
  length: number,
  document: Document,
  path: readonly (string | number)[],
  part: string,
  key: string,
): number {
  const names = Array.from({ length }, (_, i) =>
    String(document.getIn([...path, i, "name"]) ?? document.getIn([...path, i, "format"]) ?? i),
  );
  const index = /^\d+$/.test(part) ? Number(part) : names.indexOf(part);
  if (index >= 0 && index < length) return index;
  throw wrong(`--set ${key}: want one of ${names.join(", ")}, got ${part}`, key);
}

/** `:12`, or that it was set on the command line; nothing for what is missing. */
function lineOf(
  document: Document,
  path: readonly PropertyKey[],
  lines: LineCounter,
  changes: readonly string[],
): string {
  const name = path.map(String).join(".");
  if (changes.some((change) => change.startsWith(`${name}=`))) return " (--set)";
  const node = document.getIn(path as (string | number)[], true) as
    | { range?: [number, number, number] | null }
    | undefined;
  const start = node?.range?.[0];
  return start === undefined ? "" : `:${lines.linePos(start).line}`;
}

function suggestion({ kind, path, known }: Fault): string {
  const meant = kind === "unknown" ? nearest(String(path.at(-1)), known ?? []) : undefined;
  return meant === undefined ? "" : ` (did you mean ${meant}?)`;
}

const wrong = (message: string, subject: string) =>
  new TinyGptvError("parameter", message, { subject });
