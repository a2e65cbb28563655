/** JSON files and JSON lines held against a schema; what is wrong is named by file and line. */
import { TinyGptvError, check, sentence } from "@tinygptv/protocol";
import { parseJsonFile } from "@tinygptv/model";
import { readText, whatWasRead } from "@tinygptv/model/disk";
import type { z } from "zod";
import { wrongData } from "../wrongData.ts";

/** A value of a file and where it stands. */
export interface Entry<T> {
  readonly value: T;
  /** `FILE:LINE`, `FILE: [INDEX]` or `FILE, row ROW`, for messages. */
  readonly at: string;
}

/** @throws TinyGptvError "parameter", naming the file */
export async function readDataText(path: string): Promise<string> {
  return readText(path).catch((cause: unknown) => {
    throw wrongData(path, "a file of data", whatWasRead(cause), cause);
  });
}

/**
 * A whole JSON file.
 * @throws TinyGptvError "parameter", naming the file and the entry (`[3].caption`)
 */
export async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  return parseJsonFile(await readDataText(path), path, schema, "parameter");
}

/**
 * One value a line; empty lines are passed over.
 * @throws TinyGptvError "parameter", naming file, line and field
 */
export async function readJsonLines<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<Entry<z.output<Schema>>[]> {
  const text = await readDataText(path);
  return text.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    const at = `${path}:${i + 1}`;
    return [{ value: checkEntry(schema, parseLine(line, at), at), at }];
  });
}

function parseLine(line: string, at: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw wrongData(at, "JSON", "text that does not parse", cause);
  }
}

/** @throws TinyGptvError "parameter", naming the place and the field */
export function checkEntry<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  at: string,
): z.output<Schema> {
  const { data, faults } = check(schema, value);
  if (faults === undefined) return data;
  const [fault] = faults;
  const what = fault.at === "" ? fault.message : sentence(fault, at);
  throw new TinyGptvError("parameter", `${at}: ${what}`, { subject: at });
}

/** The entries of a list, each with its place. */
export function entriesOf<T>(path: string, list: readonly T[], name = ""): Entry<T>[] {
  return list.map((value, i) => ({ value, at: `${path}: ${name}[${i}]` }));
}
