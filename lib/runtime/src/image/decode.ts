import sharp from "sharp";
import type { Metadata } from "sharp";
import type { ImageFormat } from "@tinygptv/protocol";
import { readAsPillow } from "./pillow.ts";
import type { OpenImage } from "./pillow.ts";
import { checkFormat, defaultImageLimits, imageError } from "./picture.ts";
import type { CheckedImage, DecodeOptions, DecodedImage, ImageLimits } from "./picture.ts";
import type { RgbImage } from "./rgbImage.ts";
import { formatCosts, shrinkFor } from "./shrink.ts";

/** Far above what any picture within the limits takes; a hostile one must not hold a thread forever. */
const timeout = { seconds: 30 };

/**
 * Decodes a PNG, JPEG, WebP, GIF or AVIF file, recognised by its content.
 *
 * @throws TinyGptvError "image": another format, damaged or cut off, or over a limit
 */
export async function decodeImage(
  bytes: Uint8Array,
  options: DecodeOptions = {},
): Promise<DecodedImage> {
  return (await checkImage(bytes, options)).decode();
}

/** Reads the header only. @throws as decodeImage */
export async function checkImage(
  bytes: Uint8Array,
  { mode = "display", limits = defaultImageLimits }: DecodeOptions = {},
): Promise<CheckedImage> {
  const format = checkFormat(bytes, limits);
  const withReason = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      const reason = error instanceof Error ? error.message.trim().split("\n")[0] : String(error);
      throw imageError(`this ${format.name} file is damaged or cut off (${reason})`, error);
    });
  const metadata = await withReason(openImage(bytes).metadata());
  checkHeader(metadata, format, limits);
  const { width, height, autoOrient } = metadata;
  const original = mode === "display" ? autoOrient : { width, height };
  const shrink = shrinkFor(metadata, limits.maxPixels);
  const open: OpenImage = (file, options) => {
    const image = openImage(file, options);
    if (shrink === 1) return image;
    const [w, h] = [original.width, original.height].map((side) =>
      Math.max(1, Math.floor(side / shrink)),
    );
    return image.resize(w, h, { fit: "fill" });
  };
  return {
    cost: formatCosts[format.decoder!]!.bytes(metadata, shrink),
    async decode() {
      const read =
        mode === "reference" ? readAsPillow(bytes, metadata, open) : readForDisplay(bytes, open);
      return { ...(await withReason(read)), original };
    },
  };
}

const openImage: OpenImage = (file, options) =>
  sharp(file, {
    // "error" refuses what is cut off; "warning" would also refuse photos with harmless stray bytes.
    failOn: "error",
    // Ours is checked on the header and says what it found.
    limitInputPixels: false,
    ...options,
  }).timeout(timeout);

async function readForDisplay(bytes: Uint8Array, open: OpenImage): Promise<RgbImage> {
  const { data, info } = await open(bytes, { autoOrient: true })
    .flatten({ background: "white" })
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, rgb: data };
}

function checkHeader(
  { format, width, height }: Metadata,
  expected: ImageFormat,
  { maxPixels, maxSide }: ImageLimits,
): void {
  if (format !== expected.decoder) {
    throw imageError(`the file starts as ${expected.name} but its content is ${format}`);
  }
  const most = formatCosts[expected.decoder]!.maxPixels(maxPixels);
  if (width * height > most) {
    throw imageError(`want at most ${most} pixels, got ${width}x${height}`);
  }
  if (Math.max(width, height) > maxSide) {
    throw imageError(`want sides of at most ${maxSide} pixels, got ${width}x${height}`);
  }
}
