import sharp from "sharp";
import type { RgbImage } from "./rgbImage.ts";

/** A picture as a PNG file, to show people what the model sees. */
export async function encodePng({ width, height, rgb }: RgbImage): Promise<Uint8Array> {
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}
