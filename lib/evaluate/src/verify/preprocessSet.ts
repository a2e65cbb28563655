/** Pictures: decoding, resizing, normalising, against Pillow and torchvision. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { clipMean, clipStd } from "@tinygptv/model";
import { decodeImage, normalize, preprocess, resizeBicubic } from "tinygptv/parts";
import type { GoldenTensors, PreprocessGolden } from "./goldenSet.ts";
import type { Report } from "./report.ts";

/** JPEG and lossy WebP may come from another decoder: this many levels, on this share of the values. */
const lossy = { levels: 2, share: 0.999 };
const normalizedTolerance = 1e-6;

export async function checkPreprocess(
  { images }: PreprocessGolden,
  folder: string,
  tensors: GoldenTensors,
  report: Report,
): Promise<void> {
  const table = await tensors.get("normalize.table");
  if (table) checkTable(table, report);
  for (const { file, tensor_prefix: prefix, width, height, sizes, normalized } of images) {
    const bytes = await readFile(join(folder, file));
    const image = await decodeImage(bytes, { mode: "reference" });
    report.case("picture sizes", file, [image.width, image.height], [width, height]);
    const rgb = await tensors.bytes(`${prefix}.rgb`);
    if (rgb) {
      const levels = differences(image.rgb, rgb);
      const isLossy = /\.(jpe?g|webp)$/.test(file) && levels.some((level) => level > 0);
      const close =
        levels.filter((level) => level <= (isLossy ? lossy.levels : 0)).length / levels.length;
      const want = isLossy ? lossy.share : 1;
      report.outcome(
        "decoding",
        image.rgb.length === rgb.length && close >= want
          ? undefined
          : `${file}: want ${want * 100} % of the values within ${isLossy ? lossy.levels : 0} levels, got ${(close * 100).toFixed(2)} %`,
      );
      for (const size of sizes) {
        const resized = await tensors.bytes(`${prefix}.resized${size}`);
        if (!resized) continue;
        const largest = differences(
          resizeBicubic(new Uint8Array(rgb), width, height, size),
          resized,
        ).reduce((most, level) => Math.max(most, level));
        report.outcome(
          "resizing",
          largest <= 1 ? undefined : `${file} to ${size}: want at most 1 level, got ${largest}`,
        );
      }
    }
    if (rgb && normalized) {
      const want = await tensors.get(`${prefix}.normalized${normalized}`);
      const source = { width, height, rgb: new Uint8Array(rgb) };
      const got = preprocess(source, { size: normalized, mean: clipMean, std: clipStd });
      if (want) report.stage(`${prefix}.normalized${normalized}`, got, want, normalizedTolerance);
    }
  }
}

/** The value of each 8-bit level per channel, (3,256): run as pictures 16 pixels wide. */
function checkTable(table: Float32Array, report: Report): void {
  const rgb = Uint8Array.from({ length: 3 * 256 }, (_, i) => Math.floor(i / 3));
  const got = normalize(rgb, { size: 16, mean: clipMean, std: clipStd });
  report.stage("normalize.table", got, table, normalizedTolerance);
}

function differences(a: Uint8Array, b: Uint8Array): Uint8Array {
  return b.map((value, i) => (i < a.length ? Math.abs(a[i]! - value) : 255));
}
