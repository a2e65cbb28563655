/** A data set comes in several layouts of files; which one is there is told by their names. */
import type { z } from "zod";
import type { DataFolder } from "./dataFolder.ts";
import { readParquet, type ParquetRow } from "./formats/parquet.ts";
import type { Row } from "./row.ts";
import { wrongData } from "./wrongData.ts";

/** One way in which a data set is distributed. */
export interface Layout {
  /** Its splits; the first is read unless others are asked for. */
  readonly splits: readonly string[];
  /** Whether all its splits are read unless some are asked for. */
  readonly together?: boolean;
  /** What its files are called, for messages. */
  readonly name: string;
  /** The rows of a split, or undefined where the folder has no file of it. */
  read(folder: DataFolder, split: string): Promise<Row[] | undefined>;
}

/** A layout with one file of annotations a split, or one for all. */
export function fileLayout(options: {
  name: string;
  splits: readonly string[];
  together?: boolean;
  /** Which files may be it, the likeliest first; they are held against the path below the folder. */
  files: (split: string) => readonly RegExp[];
  read: (folder: DataFolder, file: string, split: string) => Promise<Row[] | undefined>;
}): Layout {
  const { files, read, ...about } = options;
  return {
    ...about,
    async read(folder, split) {
      const patterns = files(split);
      // Who points at a file means it and not one beside it.
      const file =
        folder.file === undefined
          ? findFile(folder, patterns)
          : patterns.some((pattern) => pattern.test(folder.file!))
            ? folder.file
            : undefined;
      return file === undefined ? undefined : read(folder, file, split);
    },
  };
}

/**
 * The file that a folder has of these: the first pattern that fits decides.
 * @throws TinyGptvError "parameter" where a pattern fits several
 */
export function findFile(folder: DataFolder, patterns: readonly RegExp[]): string | undefined {
  for (const pattern of patterns) {
    const [first, second] = folder.files.filter((file) => pattern.test(file));
    if (first === undefined) continue;
    if (second !== undefined)
      throw wrongData(folder.path, "one file of annotations", `${first} and ${second}`);
    return first;
  }
  return undefined;
}

/**
 * A layout of Parquet files, a split in each: `data/val-00000-of-00002.parquet`,
 * `val/0000.parquet`. Where none has a split in its name, they are the first one's.
 */
export function parquetLayout<Schema extends z.ZodType>(options: {
  splits: readonly string[];
  together?: boolean;
  /** Other names of splits. */
  aliases?: Readonly<Record<string, readonly string[]>>;
  schema: Schema;
  /** Rows of the data set in a row of the file. */
  rows: (row: ParquetRow<z.output<Schema>>, split: string, index: number) => Row[];
}): Layout {
  const { splits, together = false, aliases = {}, schema, rows } = options;
  return {
    name: "Parquet files with pictures inside",
    splits,
    together,
    async read(folder, split) {
      const names = [split, ...(aliases[split] ?? [])];
      const known = [...splits, ...Object.values(aliases).flat()];
      const files = parquetFiles(folder, names, known, split === splits[0]);
      if (files.length === 0) return undefined;
      const read = await readParquet(files.map(folder.resolve), schema);
      return read.flatMap((row, index) => rows(row, split, index));
    },
  };
}

/**
 * The Parquet files of a split, by its names; of a folder whose files name no
 * split, all of them, where that may be.
 */
export function parquetFiles(
  folder: DataFolder,
  names: readonly string[],
  known: readonly string[],
  orUnnamed = true,
): string[] {
  const all = folder.file === undefined ? folder.files : [folder.file];
  const files = all.filter((file) => file.endsWith(".parquet"));
  const own = files.filter((file) => names.some((name) => isOfSplit(file, name)));
  if (own.length > 0 || !orUnnamed) return own;
  const others = [...known, ...commonSplits];
  return files.filter((file) => !others.some((name) => isOfSplit(file, name)));
}

const commonSplits = ["train", "val", "validation", "dev", "test", "testA", "testB", "testdev"];

function isOfSplit(file: string, split: string): boolean {
  const parts = file.replace(/\.parquet$/, "").split("/");
  const last = parts.pop()!;
  return parts.includes(split) || last === split || last.startsWith(`${split}-`);
}
