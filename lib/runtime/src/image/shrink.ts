/** What decoding takes, by format, and how a JPEG takes less. */
import type { Metadata } from "sharp";

interface FormatCost {
  /** The most a file may have, of the pixels that may be decoded. */
  maxPixels(decoded: number): number;
  /** Bytes of memory while it is decoded. */
  bytes(metadata: Metadata, shrink: number): number;
}

/** Pixels in the file of a JPEG: phones write 50 to 108 million. All are read, whatever the scale they are decoded at. */
const maxJpegPixels = 110_000_000;

const pixels = ({ width, height }: Metadata): number => width * height;

/** Decoded whole, in some channels of 8 or 16 bits and a copy of them. */
const whole = (bytesPerPixel: number): FormatCost => ({
  maxPixels: (decoded) => decoded,
  bytes: (metadata) => bytesPerPixel * pixels(metadata),
});

/** By sharp's name of the decoder. */
export const formatCosts: Readonly<Record<string, FormatCost>> = {
  jpeg: {
    maxPixels: (decoded) => Math.max(decoded, maxJpegPixels),
    // A progressive one is kept as coefficients of 2 bytes until its last scan.
    bytes: (metadata, shrink) =>
      pixels(metadata) * (6 / shrink ** 2 + (metadata.isProgressive ? 6 : 0)),
  },
  png: whole(8),
  webp: whole(8),
  gif: whole(8),
  // Measured: 613 MB and two seconds for 40 megapixels, out of a file of a kilobyte.
  heif: { ...whole(16), maxPixels: (decoded) => Math.min(decoded, 25_000_000) },
};

/** libjpeg decodes at these fractions, by leaving out coefficients. */
const shrinks = [1, 2, 4, 8] as const;

/** The least by which a file has to be shrunk to come within `maxPixels`. */
export function shrinkFor(metadata: Metadata, maxPixels: number): number {
  if (metadata.format !== "jpeg") return 1;
  return shrinks.find((shrink) => pixels(metadata) / shrink ** 2 <= maxPixels) ?? 8;
}
