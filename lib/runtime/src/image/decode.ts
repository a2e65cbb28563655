import sharp from "sharp";
import type { Metadata } from "sharp";
import { TinyGptvError, acceptedFormats, sniffFormat } from "@tinygptv/protocol";
import type { ImageFormat } from "@tinygptv/protocol";
import { readAsPillow } from "./pillow.ts";
import type { OpenImage } from "./pillow.ts";
import type { RgbImage } from "./rgbImage.ts";

/**
 * - `display`: as people see it. EXIF orientation and colour profile applied,
 *   transparency over white, 16-bit levels scaled to 8.
 * - `reference`: what Pillow's `open(...).convert("RGB")` gives, which is what
 *   the model was trained and measured on. Transparency dropped (the colours
 *   under it show), orientation and colour profile ignored, 16-bit grey clipped
 *   at 255.
 *
 * Of an animation both give the first frame.
 */
export type ImageMode = "display" | "reference";

/** Checked on the file's length and header, before a pixel is decoded. */
interface ImageLimits {
  readonly maxBytes: number;
  readonly maxPixels: number;
  readonly maxSide: number;
}

/**
 * 20 MiB and 40 megapixels admit what cameras and phones write (a JPEG of 36
 * megapixels has about 15 MiB) and bound a decoded picture to 120 MB. 65,535 is
 * the longest side a JPEG can have; it keeps out strips of one pixel by
 * millions, whose resizing costs far more than their pixel count says.
 */
const defaultImageLimits: ImageLimits = {
  maxBytes: 20 * 2 ** 20,
  maxPixels: 40_000_000,
  maxSide: 65_535,
};

/** Far above what any picture within the limits takes; a hostile one must not hold a thread forever. */
const timeout = { seconds: 30 };

export interface DecodeOptions {
  readonly mode?: ImageMode;
  readonly limits?: ImageLimits;
}

/**
 * Decodes a PNG, JPEG, WebP, GIF or AVIF file, recognised by its content.
 *
 * @throws TinyGptvError "image": another format, damaged or cut off, or over a limit
 */
export async function decodeImage(
  bytes: Uint8Array,
  { mode = "display", limits = defaultImageLimits }: DecodeOptions = {},
): Promise<RgbImage> {
  const format = checkFormat(bytes, limits);
  const open: OpenImage = (file, options) =>
    sharp(file, {
      // "error" refuses what is cut off; "warning" would also refuse photos with harmless stray bytes.
      failOn: "error",
      limitInputPixels: limits.maxPixels,
      ...options,
    }).timeout(timeout);
  try {
    // Only the header is read here; without sharp's own limit, ours can say what it found.
    const metadata = await open(bytes, { limitInputPixels: false }).metadata();
    checkHeader(metadata, format, limits);
    return mode === "reference"
      ? await readAsPillow(bytes, metadata, open)
      : await readForDisplay(bytes, open);
  } catch (error) {
    if (error instanceof TinyGptvError) throw error;
    const reason = error instanceof Error ? error.message.trim().split("\n")[0] : String(error);
    throw imageError(`this ${format.name} file is damaged or cut off (${reason})`, error);
  }
}

async function readForDisplay(bytes: Uint8Array, open: OpenImage): Promise<RgbImage> {
  const { data, info } = await open(bytes, { autoOrient: true })
    .flatten({ background: "white" })
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, rgb: data };
}

function checkFormat(bytes: Uint8Array, { maxBytes }: ImageLimits): ImageFormat {
  if (bytes.length === 0) throw imageError("the file is empty");
  if (bytes.length > maxBytes) {
    throw imageError(`want at most ${maxBytes} bytes, got ${bytes.length}`);
  }
  const format = sniffFormat(bytes);
  if (format?.decoder === undefined) {
    throw imageError(
      `want ${acceptedFormats.join(", ")}, got ${format?.name ?? "an unknown format"}`,
    );
  }
  return format;
}

function checkHeader(
  { format, width, height }: Metadata,
  expected: ImageFormat,
  { maxPixels, maxSide }: ImageLimits,
): void {
  if (format !== expected.decoder) {
    throw imageError(`the file starts as ${expected.name} but its content is ${format}`);
  }
  if (width * height > maxPixels) {
    throw imageError(`want at most ${maxPixels} pixels, got ${width}x${height}`);
  }
  if (Math.max(width, height) > maxSide) {
    throw imageError(`want sides of at most ${maxSide} pixels, got ${width}x${height}`);
  }
}

function imageError(message: string, cause?: unknown): TinyGptvError {
  return new TinyGptvError("image", `image: ${message}`, { cause });
}
