/**
 * Pictures as Pillow 10 opens and converts them to RGB (the reference's
 * preprocessing). sharp's decoders give the same levels; what differs is how
 * transparency, 16-bit grey and CMYK become RGB.
 */
import type { Metadata, Sharp, SharpOptions } from "sharp";
import { viewAs } from "@tinygptv/model";
import type { RgbImage } from "./rgbImage.ts";

/** A file as a sharp pipeline, with the caller's limits set. */
export type OpenImage = (file: Uint8Array, options?: SharpOptions) => Sharp;

/** Decodes a picture of a checked format; errors are sharp's. */
export async function readAsPillow(
  bytes: Uint8Array,
  metadata: Metadata,
  open: OpenImage,
): Promise<RgbImage> {
  const source = metadata.format === "gif" ? withoutGifTransparency(bytes) : bytes;
  const image = open(source, { ignoreIcc: true });
  if (metadata.space === "cmyk") return readCmyk(image);
  if (isGrey16Png(bytes)) return readGrey16(image);
  const { data, info } = await image
    .removeAlpha()
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, rgb: data };
}

/**
 * R = (255-K) - C(255-K)/255 and so on, the quotient rounded; sharp has already
 * undone the inversion that Adobe's files have.
 */
async function readCmyk(image: Sharp): Promise<RgbImage> {
  const { data, info } = await image
    .pipelineColourspace("cmyk")
    .toColourspace("cmyk")
    .raw()
    .toBuffer({ resolveWithObject: true });
  const rgb = new Uint8Array(info.width * info.height * 3);
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    const white = 255 - data[from + 3]!;
    for (let channel = 0; channel < 3; channel++) {
      rgb[to + channel] = white - Math.round((data[from + channel]! * white) / 255);
    }
  }
  return { width: info.width, height: info.height, rgb };
}

/** Pillow opens 16-bit grey PNG as 32-bit integers, and clips these to 0..255. */
async function readGrey16(image: Sharp): Promise<RgbImage> {
  const { data, info } = await image
    .pipelineColourspace("grey16")
    .toColourspace("grey16")
    .raw({ depth: "ushort" })
    .toBuffer({ resolveWithObject: true });
  const levels = viewAs(Uint16Array, data);
  const rgb = new Uint8Array(info.width * info.height * 3);
  for (let pixel = 0; pixel < info.width * info.height; pixel++) {
    rgb.fill(Math.min(255, levels[pixel * info.channels]!), pixel * 3, pixel * 3 + 3);
  }
  return { width: info.width, height: info.height, rgb };
}

/** Bit depth and colour type follow the size in a PNG's first chunk; grey with alpha (type 4) is scaled, not clipped. */
function isGrey16Png(bytes: Uint8Array): boolean {
  return bytes[1] === 0x50 && bytes[24] === 16 && bytes[25] === 0;
}

/**
 * A GIF whose first frame has no transparent colour: sharp paints transparent
 * pixels black, Pillow in the colour that the palette gives them. The flag sits
 * in a graphic control extension before the first image descriptor (GIF89a, 23).
 */
function withoutGifTransparency(bytes: Uint8Array): Uint8Array {
  const hasGlobalColours = bytes[10]! & 0x80;
  let at = 13 + (hasGlobalColours ? 3 << ((bytes[10]! & 7) + 1) : 0);
  while (bytes[at] === 0x21) {
    if (bytes[at + 1] === 0xf9) {
      const copy = Uint8Array.from(bytes);
      copy[at + 3]! &= ~1;
      return copy;
    }
    at += 2;
    while (bytes[at]! > 0) at += bytes[at]! + 1; // sub-blocks, each after its length
    at++;
  }
  return bytes;
}
