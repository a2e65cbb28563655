/** What a picture's file may be, and what is known of it before and after it is decoded. */
import { TinyGptvError, acceptedFormats, sniffFormat } from "@tinygptv/protocol";
import type { ImageFormat } from "@tinygptv/protocol";
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
export interface ImageLimits {
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
export const defaultImageLimits: ImageLimits = {
  maxBytes: 20 * 2 ** 20,
  maxPixels: 40_000_000,
  maxSide: 65_535,
};

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
 * The format of a file, recognised by its content.
 * @throws TinyGptvError "image": none that is accepted, or a file too large
 */
export function checkFormat(bytes: Uint8Array, { maxBytes }: ImageLimits): ImageFormat {
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

export function imageError(message: string, cause?: unknown): TinyGptvError {
  return new TinyGptvError("image", `image: ${message}`, { cause });
}
