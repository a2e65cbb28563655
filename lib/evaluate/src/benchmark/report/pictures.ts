/** Small copies of the pictures a report shows, as data URLs. */
import { readDataset } from "@tinygptv/datasets";
import { TinyGptvError } from "@tinygptv/protocol";
import sharp from "sharp";
import type { BenchmarkReport } from "./report.ts";

/** Longest side in pixels. */
const side = 320;

/** Data URLs by the questions' ids, or why there are none. */
export type Thumbnails = ReadonlyMap<string, string> | { readonly missing: string };

/** @param data where the data set is now, if not where the run had it */
export async function thumbnailsOf(report: BenchmarkReport, data?: string): Promise<Thumbnails> {
  const { path, images, splits } = report.runs[0]!.settings.data;
  try {
    const rows = await readDataset(report.benchmark, { data: data ?? path, images, splits });
    const pictures = new Map(rows.map(({ id, picture }) => [id, picture]));
    const found = new Map<string, string>();
    for (const { id } of report.disagreements) {
      const picture = pictures.get(id);
      if (picture !== undefined) found.set(id, await thumbnail(await picture.read()));
    }
    return found;
  } catch (error) {
    // A report is worth having without its pictures; the page says why there are none.
    if (error instanceof TinyGptvError) return { missing: error.message };
    throw error;
  }
}

async function thumbnail(bytes: Uint8Array): Promise<string> {
  const small = await sharp(bytes)
    .resize({ width: side, height: side, fit: "inside", withoutEnlargement: true })
    .flatten({ background: "white" })
    .jpeg({ quality: 80 })
    .toBuffer();
  return `data:image/jpeg;base64,${small.toString("base64")}`;
}
