import sharp from "sharp";
import type { Metadata } from "sharp";
import { TinyGptvError, acceptedFormats, sniffFormat } from "@tinygptv/protocol";
import type { ImageFormat } from "@tinygptv/protocol";
import { readAsPillow } from "./pillow.ts";
import type { OpenImage } from "./pillow.ts";
import type { RgbImage } from "./rgbImage.ts";
import { formatCosts, shrinkFor } from "./shrink.ts";

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
  /** Pixels that are decoded; a JPEG may have more and is decoded at a smaller scale. */
  readonly maxPixels: number;
  readonly maxSide: number;
}

/**
 * 20 MiB and 40 megapixels admit what cameras write (a JPEG of 36 megapixels
 * has about 15 MiB) and bound a decoded picture to 120 MB. 65,535 is the
 * longest side a JPEG can have; it keeps out strips of one pixel by millions,
 * whose resizing costs far more than their pixel count says.
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

/** A picture whose header has been read and found within the limits. */
export interface CheckedImage {
  /** Bytes of memory that decoding takes, about. */
  readonly cost: number;
  /** @throws TinyGptvError "image": damaged or cut off */
  decode(): Promise<DecodedImage>;
}

/** A picture in memory, perhaps smaller than in its file. */
export interface DecodedImage extends RgbImage {
  /** In the file, turned as the pixels are. */
  readonly original: { readonly width: number; readonly height: number };
}

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
  const most = formatCosts[expected.decoder]!.maxPixels(maxPixels);
  if (width * height > most) {
    throw imageError(`want at most ${most} pixels, got ${width}x${height}`);
  }
  if (Math.max(width, height) > maxSide) {
    throw imageError(`want sides of at most ${maxSide} pixels, got ${width}x${height}`);
  }
}

function imageError(message: string, cause?: unknown): TinyGptvError {
  return new TinyGptvError("image", `image: ${message}`, { cause });
}
