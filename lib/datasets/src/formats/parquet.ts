/** Parquet files with pictures inside, as evaluation kits publish data sets. */
import { basename } from "node:path";
import {
  asyncBufferFromFile,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from "hyparquet";
import type { AsyncBuffer, FileMetaData, SchemaTree } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { TinyGptvError } from "@tinygptv/protocol";
import type { z } from "zod";
import type { Picture } from "../row.ts";
import { wrongData } from "../wrongData.ts";
import { checkEntry, type Entry } from "./json.ts";

/** A row of a Parquet file. Its pictures are read when they are asked for. */
export interface ParquetRow<T> extends Entry<T> {
  /** The picture in the first of these columns that the file has. @throws TinyGptvError "parameter" where it has none of them */
  picture(columns: readonly string[]): Picture;
}

/**
 * Rows of Parquet files, one file after the other, without their pictures.
 * Missing values (null) are left out.
 * @throws TinyGptvError "parameter", naming file, row (from 1) and column
 */
export async function readParquet<Schema extends z.ZodType>(
  paths: readonly string[],
  schema: Schema,
): Promise<ParquetRow<z.output<Schema>>[]> {
  const files = await Promise.all(paths.map((path) => readFileRows(path, schema)));
  return files.flat();
}

async function readFileRows<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<ParquetRow<z.output<Schema>>[]> {
  const { file, metadata } = await openParquet(path);
  const { children } = parquetSchema(metadata);
  const pictures = children.filter(holdsPicture).map(({ element }) => element.name);
  const columns = children.map(({ element }) => element.name).filter((c) => !pictures.includes(c));
  const rows = await readRows(path, file, metadata, { columns });
  const readPicture = pictureReader(path, file, metadata);
  return rows.map((row, i) => {
    const at = `${path}, row ${i + 1}`;
    return {
      value: checkEntry(schema, row, at),
      at,
      picture(names) {
        const column = names.find((name) => pictures.includes(name));
        if (column === undefined)
          throw wrongData(path, `a column ${names.join(" or ")} of pictures`, listed(pictures));
        return { name: `${basename(path)}#${i + 1}`, read: () => readPicture(i, column, at) };
      },
    };
  });
}

const listed = (names: readonly string[]) =>
  names.length === 0 ? "none" : `pictures in ${names.join(", ")}`;

async function openParquet(path: string): Promise<{ file: AsyncBuffer; metadata: FileMetaData }> {
  try {
    const file = await asyncBufferFromFile(path);
    return { file, metadata: await parquetMetadataAsync(file) };
  } catch (cause) {
    throw wrongData(path, "a Parquet file", (cause as Error).message, cause);
  }
}

/** A struct of a file's bytes and its name, or bytes that are no text. */
function holdsPicture({ element, children }: SchemaTree): boolean {
  if (children.length > 0) return children.some((child) => child.element.name === "bytes");
  const isText = element.logical_type !== undefined || element.converted_type !== undefined;
  return element.type === "BYTE_ARRAY" && !isText;
}

interface Range {
  columns: string[];
  rowStart?: number;
  rowEnd?: number;
}

async function readRows(
  path: string,
  file: AsyncBuffer,
  metadata: FileMetaData,
  range: Range,
): Promise<Record<string, unknown>[]> {
  if (range.columns.length === 0)
    return Array.from({ length: Number(metadata.num_rows) }, () => ({}));
  try {
    // Bytes that are not said to be text stay bytes.
    const options = { file, metadata, compressors, utf8: false, ...range };
    const rows = await parquetReadObjects(options);
    return rows.map((row) => plain(row) as Record<string, unknown>);
  } catch (cause) {
    throw wrongData(path, "Parquet data that can be read", (cause as Error).message, cause);
  }
}

/** As JSON would have it: numbers for 64-bit integers, nothing for null. Bytes stay. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (value === null) return undefined;
  if (typeof value !== "object" || value instanceof Uint8Array || value instanceof Date)
    return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, one]) => (one === null ? [] : [[key, plain(one)]])),
  );
}

/** Groups of rows whose pictures are kept: who reads row after row, some at once, meets two. */
const groupsKept = 2;

/** Pictures can only be read a group of rows at a time. */
function pictureReader(path: string, file: AsyncBuffer, metadata: FileMetaData) {
  const starts: number[] = [];
  let rowCount = 0;
  for (const group of metadata.row_groups) {
    starts.push(rowCount);
    rowCount += Number(group.num_rows);
  }
  const kept = new Map<string, Promise<Record<string, unknown>[]>>();

  return async (row: number, column: string, at: string): Promise<Uint8Array> => {
    const group = starts.findLastIndex((start) => start <= row);
    const rowStart = starts[group]!;
    const key = `${group}/${column}`;
    let rows = kept.get(key);
    if (rows === undefined) {
      const rowEnd = starts[group + 1] ?? rowCount;
      rows = readRows(path, file, metadata, { columns: [column], rowStart, rowEnd });
      rows.catch(() => {}); // heard of below
      kept.set(key, rows);
      if (kept.size > groupsKept) kept.delete(kept.keys().next().value!);
    }
    const value = (await rows)[row - rowStart]![column];
    const bytes = value instanceof Uint8Array ? value : (value as { bytes?: unknown })?.bytes;
    if (bytes instanceof Uint8Array && bytes.length > 0) return bytes;
    throw new TinyGptvError("image", `${at}: ${column}: want the bytes of a picture, got none`, {
      subject: at,
    });
  };
}
