/** How one cell is written: an info string, a YAML header, and for questions the text below a line `---`. */
import { Document, isScalar, parse, visit } from "yaml";
import { TinyGptvError, faultsOf, sentence } from "@tinygptv/protocol";
import { cellSchema, cellTypes, type Cell, type CellType } from "./cell.ts";

/** Cell types written as fences; text cells are the Markdown between them. */
export const fencedTypes = cellTypes.filter((type) => type !== "text");

const separator = "---";

/** Lines that mean something are written with one more backslash before them where they are meant literally. */
export const escapeLines = (text: string, meaning: RegExp): string =>
  text
    .split("\n")
    .map((line) => (meaning.test(line.replace(/^\\+/, "")) ? `\\${line}` : line))
    .join("\n");
export const unescapeLines = (text: string, meaning: RegExp): string =>
  text
    .split("\n")
    .map((line) =>
      line.startsWith("\\") && meaning.test(line.replace(/^\\+/, "")) ? line.slice(1) : line,
    )
    .join("\n");

const separatorLine = /^---$/;

const hasRounds = (type: string): boolean => ["prompt", "sweep", "compare"].includes(type);

/** `{ info: "prompt answer", body: "pictures: [dog]\n---\nwhat is this?" }` */
export function writeFence(cell: Exclude<Cell, { type: "text" }>): { info: string; body: string } {
  const { type, id: _id, name, ...fields } = cell;
  const info = name === undefined ? type : `${type} ${name}`;
  const header: Record<string, unknown> = { ...fields };
  const rounds = "rounds" in cell ? cell.rounds : undefined;
  delete header["rounds"];
  for (const [key, value] of Object.entries(header)) if (isDefault(key, value)) delete header[key];
  const yaml = Object.keys(header).length === 0 ? "" : writeYaml(header);
  if (rounds === undefined) return { info, body: yaml.replace(/\n$/, "") };
  const texts = rounds.map((round) => escapeLines(round, separatorLine));
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
  if (["pictures", "models", "items"].includes(key))
    return Array.isArray(value) && value.length === 0;
  if (key === "decoding")
    return typeof value === "object" && value !== null && Object.keys(value).length === 0;
  return false;
}

/**
 * Reads what `writeFence` writes.
 * @throws TinyGptvError "parameter", its message starting with `where`
 */
export function readFence(info: string, body: string, id: string, where: string): Cell {
  const [type = "", name, ...rest] = info.trim().split(/\s+/);
  if (rest.length > 0)
    throw new TinyGptvError("parameter", `${where}: want \`${type} name\`, got \`${info.trim()}\``);
  const { header, rounds } = split(type as CellType, body);
  const fields = readYaml(header, where);
  const given = {
    ...fields,
    ...(rounds !== undefined && { rounds }),
    type,
    id,
    ...(name !== undefined && { name }),
  };
  for (const own of ["type", "id", "name", "rounds"]) {
    if (own in fields)
      throw new TinyGptvError("parameter", `${where}: ${own}: does not belong in the header`);
  }
  const parsed = cellSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [fault] = faultsOf(parsed.error, cellSchema, given);
  throw new TinyGptvError("parameter", `${where}: ${type}: ${sentence(fault!, "cell")}`);
}

function split(type: CellType, body: string): { header: string; rounds: string[] | undefined } {
  if (!hasRounds(type)) return { header: body, rounds: undefined };
  const parts: string[][] = [[]];
  for (const line of body.split("\n")) {
    if (separatorLine.test(line)) parts.push([]);
    else parts.at(-1)?.push(line);
  }
  const [header = "", ...rounds] = parts.map((lines) => lines.join("\n"));
  return {
    header,
    rounds:
      rounds.length === 0 ? undefined : rounds.map((round) => unescapeLines(round, separatorLine)),
  };
}

export function readYaml(text: string, where: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parse(`${text}\n`, { maxAliasCount: 0 }) ?? {};
  } catch (cause) {
    throw new TinyGptvError(
      "parameter",
      `${where}: ${cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : "not YAML"}`,
      { cause },
    );
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TinyGptvError(
      "parameter",
      `${where}: want \`key: value\` lines, got ${JSON.stringify(value)}`,
    );
  }
  return value as Record<string, unknown>;
}
