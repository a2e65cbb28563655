/** All data sets by name, and the one way to read them. */
import { TinyGptvError } from "@tinygptv/protocol";
import { openDataFolder, type DataFolder } from "./dataFolder.ts";
import type { Layout } from "./layout.ts";
import type { Row } from "./row.ts";
import { cocoCaptions, flickr30k, nocaps, textCaps } from "./sets/captions.ts";
import { cocoDetection } from "./sets/cocoDetection.ts";
import { gqa } from "./sets/gqa.ts";
import { hatefulMemes } from "./sets/hatefulMemes.ts";
import { iconqa } from "./sets/iconqa.ts";
import { okvqa } from "./sets/okvqa.ts";
import { own } from "./sets/own.ts";
import { refcoco } from "./sets/refcoco.ts";
import { vizwiz } from "./sets/vizwiz.ts";
import { vsr } from "./sets/vsr.ts";
import { wrongData } from "./wrongData.ts";

/** Names of the data sets that can be read; `hm` is Hateful Memes, `own` one's own questions. */
export const datasetNames = [
  "vsr",
  "gqa",
  "iconvqa",
  "vizwiz",
  "hm",
  "okvqa",
  "refcoco",
  "refcoco+",
  "refcocog",
  "coco",
  "nocaps",
  "textcaps",
  "flickr30k",
  "coco-detection",
  "own",
] as const;
/** The name of a data set. */
export type DatasetName = (typeof datasetNames)[number];

/** Layouts of each, the likeliest first. */
const layouts: Readonly<Record<DatasetName, readonly Layout[]>> = {
  vsr,
  gqa,
  iconvqa: iconqa,
  vizwiz,
  hm: hatefulMemes,
  okvqa,
  refcoco: refcoco("refcoco"),
  "refcoco+": refcoco("refcoco+"),
  refcocog: refcoco("refcocog"),
  coco: cocoCaptions,
  nocaps,
  textcaps: textCaps,
  flickr30k,
  "coco-detection": cocoDetection,
  own,
};

/** Where a data set is, and what of it is wanted. */
export interface DatasetSource {
  /** Folder, or the annotation file in one. */
  data: string;
  /** Where its pictures are, if not below the folder. */
  images?: string | undefined;
  /** Splits to read; what the set is usually evaluated on unless given. */
  splits?: readonly string[] | undefined;
}

/**
 * Reads a data set, in whatever layout its folder is. Pictures are found and not
 * yet read.
 * @throws TinyGptvError "parameter" naming file and line, row or entry; "image" for a picture that is not there
 */
export async function readDataset(name: DatasetName, source: DatasetSource): Promise<Row[]> {
  const folder = await openDataFolder(source.data, source.images);
  for (const layout of layouts[name]) {
    const parts = await readSplits(layout, folder, source.splits);
    if (parts.every((rows) => rows === undefined)) continue;
    const missing = source.splits?.find((_, i) => parts[i] === undefined);
    if (missing !== undefined)
      throw wrongData(source.data, `the split ${missing} of ${layout.name}`, "none");
    const rows = parts.flatMap((part) => part ?? []);
    if (rows.length === 0) throw wrongData(source.data, "at least one row", "none");
    requireUniqueIds(rows);
    return rows;
  }
  throw notFound(name, source);
}

/** The splits that are asked for; else the usual ones, or the one that a given file is. */
async function readSplits(
  layout: Layout,
  folder: DataFolder,
  asked: readonly string[] | undefined,
): Promise<(Row[] | undefined)[]> {
  const wanted = asked ?? (layout.together ? layout.splits : undefined);
  if (wanted !== undefined)
    return Promise.all(
      wanted.map(async (split) =>
        layout.splits.includes(split) ? layout.read(folder, split) : undefined,
      ),
    );
  for (const split of folder.file === undefined ? layout.splits.slice(0, 1) : layout.splits) {
    const rows = await layout.read(folder, split);
    if (rows !== undefined) return [rows];
  }
  return [];
}

function notFound(name: DatasetName, { data, splits }: DatasetSource): TinyGptvError {
  const forms = layouts[name].map((layout) => layout.name).join(", or ");
  const all = [...new Set(layouts[name].flatMap((one) => one.splits))];
  const got = splits === undefined ? "none of these" : `none of ${splits.join(", ")}`;
  return wrongData(data, `${name}: ${forms} (splits ${all.join(", ")})`, got);
}

function requireUniqueIds(rows: readonly Row[]): void {
  const seen = new Map<string, string>();
  for (const { id, at } of rows) {
    const before = seen.get(id);
    if (before !== undefined) throw wrongData(at, "an id of its own", `${id}, as ${before} has`);
    seen.set(id, at);
  }
}
