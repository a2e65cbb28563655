/** How one cell is written: an info string, a YAML header, and for questions the text below a line `---`. */
import { faultsOf } from "@tinygptv/protocol";
import { Document, isScalar, visit } from "yaml";
import { blocksOf, type Fence } from "./blocks.ts";
import { cellSchema, type Cell, type CellOf } from "./cell.ts";
import { readHeader } from "./header.ts";
import { faultText } from "./faultText.ts";
import { kindIn, misspeltKind, fencedTypes } from "./kinds.ts";
import type { Mistake } from "./remark.ts";

/** Cells that are fences of their own. */
export type WrittenCell = Exclude<Cell, { type: "text" | "faulty" }>;

const separator = "---";
/** A line of a text that is one is written with one more backslash before it. */
const separatorLine = /^---$/;
const escapedSeparator = /^\\+---$/;

const eachLine = (text: string, change: (line: string) => string): string =>
  text.split("\n").map(change).join("\n");
const escapeRound = (text: string): string =>
  eachLine(text, (line) =>
    separatorLine.test(line) || escapedSeparator.test(line) ? `\\${line}` : line,
  );
const unescapeRound = (text: string): string =>
  eachLine(text, (line) => (escapedSeparator.test(line) ? line.slice(1) : line));

const hasRounds = (type: string): boolean => ["prompt", "sweep", "compare"].includes(type);

/** `{ info: "prompt answer", body: "pictures: [dog]\n---\nwhat is this?" }` */
export function writeFence(cell: WrittenCell): { info: string; body: string } {
  const { type, id: _id, name, ...fields } = cell;
  const info = name === undefined ? type : `${type} ${name}`;
  const header: Record<string, unknown> = { ...fields };
  const rounds = "rounds" in cell ? cell.rounds : undefined;
  delete header["rounds"];
  for (const [key, value] of Object.entries(header)) if (isDefault(key, value)) delete header[key];
  const yaml = Object.keys(header).length === 0 ? "" : writeYaml(header);
  if (rounds === undefined) return { info, body: yaml.replace(/\n$/, "") };
  const texts = rounds.map(escapeRound);
  return { info, body: [yaml.replace(/\n$/, ""), ...texts].join(`\n${separator}\n`) };
}

/** YAML with lists of plain values on one line: `pictures: [ dog ]`. */
function writeYaml(fields: Record<string, unknown>): string {
  const document = new Document(fields);
  visit(document, {
    Seq: (_key, list) => {
      list.flow = list.items.every((item) => isScalar(item));
    },
  });
  // One line per quoted text: folding loses a backslash before a line end.
  return document.toString({ lineWidth: 0, doubleQuotedMinMultiLineLength: 1_000_000 });
}

/** Fields left out of files because reading puts them back. */
function isDefault(key: string, value: unknown): boolean {
  if (value === undefined) return true;
  if (key === "file" || key === "source") return value === "";
  if (["pictures", "models", "items", "figures"].includes(key))
    return Array.isArray(value) && value.length === 0;
  if (key === "decoding")
    return typeof value === "object" && value !== null && Object.keys(value).length === 0;
  return false;
}

export interface ReadFence {
  /** Undefined where something in it is not accepted. */
  cell?: WrittenCell;
  /** All there are; lines count from the opening fence. */
  mistakes: Mistake[];
}

/** Reads what `writeFence` writes. */
export function readFence(info: string, body: string, id: string): ReadFence {
  const [word = "", name, ...rest] = info.trim().split(/\s+/);
  const type = kindIn(info);
  if (type === undefined) {
    const meant = misspeltKind(info);
    const message = `${word} is no kind of cell; ${meant === undefined ? `want ${fencedTypes.join(", ")}` : `did you mean ${meant}?`}`;
    return { mistakes: [{ line: 0, message }] };
  }
  const mistakes: Mistake[] = [];
  const complain = (line: number, message: string): void =>
    void mistakes.push({ line, message: `${type}: ${message}` });
  if (rest.length > 0)
    complain(0, `want one name after the kind, got ${[name, ...rest].join(" ")}`);
  const { header, rounds } = split(type, body);
  const { fields, mistakes: unreadable, lineOf } = readHeader(header);
  for (const { line, message } of unreadable) complain(line + 1, message);
  if (unreadable.length > 0) return { mistakes };
  const settings = { ...fields };
  for (const own of ["type", "id", "name", "rounds"]) {
    if (!(own in settings)) continue;
    complain(lineOf([own]) + 1, `${own}: ${misplaced[own]}`);
    delete settings[own];
  }
  const given = {
    ...settings,
    ...(rounds !== undefined && { rounds }),
    type,
    id,
    ...(name !== undefined && { name }),
  };
  const parsed = cellSchema.safeParse(given);
  if (parsed.success && mistakes.length === 0)
    return { cell: parsed.data as WrittenCell, mistakes };
  for (const fault of parsed.success ? [] : faultsOf(parsed.error, cellSchema, given))
    complain(fault.path[0] === "name" ? 0 : lineOf(fault.path) + 1, faultText(fault));
  return { mistakes: mistakes.toSorted((a, b) => a.line - b.line) };
}

const misplaced: Readonly<Record<string, string>> = {
  type: "the kind stands after the opening fence, not here",
  id: "cells of a file have no id",
  name: "the name stands behind the kind, after the opening fence",
  rounds: "the text stands below a line ---, not here",
};

function split(type: string, body: string): { header: string; rounds: string[] | undefined } {
  if (!hasRounds(type)) return { header: body, rounds: undefined };
  const parts: string[][] = [[]];
  for (const line of body.split("\n")) {
    if (separatorLine.test(line)) parts.push([]);
    else parts.at(-1)?.push(line);
  }
  const [header = "", ...rounds] = parts.map((lines) => lines.join("\n"));
  return { header, rounds: rounds.length === 0 ? undefined : rounds.map(unescapeRound) };
}

/** The one fence that a faulty cell's source is; undefined where it is something else (by now). */
export function fenceIn(source: string): Fence | undefined {
  const [block, ...others] = blocksOf(source.trim().split("\n"));
  return others.length === 0 && block?.first === 0 ? block.fence : undefined;
}

/**
 * What a faulty cell is once its source has been mended, or what is wrong with it still.
 * @param taken names of the other cells
 */
export function mend(
  { id, source }: CellOf<"faulty">,
  taken: ReadonlySet<string | undefined>,
): ReadFence {
  const fence = fenceIn(source);
  return fence === undefined
    ? { mistakes: [{ line: 0, message: "want one cell, from ``` to ```" }] }
    : withOwnName(readWhole(fence, id), taken);
}

/** Reads a fence as it stands in a file, where its end may be missing. */
export function readWhole({ mark, info, body, closed }: Fence, id: string): ReadFence {
  if (!closed)
    return { mistakes: [{ line: 0, message: `this cell has no closing line of ${mark}` }] };
  // Its end is missing, and that of the next cell stands for it.
  const inner = body.split("\n").findIndex((line) => {
    const [, other = "", rest = ""] = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
    return other.startsWith(mark) && kindIn(rest) !== undefined;
  });
  if (inner >= 0) {
    const message = `a cell begins inside another; close that one with ${mark} before, or open it with more than that where this is its text`;
    return { mistakes: [{ line: inner + 1, message }] };
  }
  return readFence(info, body, id);
}

/** Refuses a name that another cell has. */
export function withOwnName(read: ReadFence, taken: ReadonlySet<string | undefined>): ReadFence {
  const { type, name } = read.cell ?? {};
  if (name === undefined || !taken.has(name)) return read;
  const message = `${type}: another cell is called ${name}; want another name`;
  return { mistakes: [...read.mistakes, { line: 0, message }] };
}
