/**
 * Pictures decoded by the browser: the server's pixels, bit for bit, for opaque
 * sRGB files in PNG, JPEG, WebP and GIF. Levels may differ by 1 where a picture
 * is transparent, has another colour profile, or is AVIF.
 */
import type { ImageFormat } from "@tinygptv/protocol";
import { checkFormat, defaultImageLimits, imageError } from "../image/picture.ts";
import type { CheckedImage, DecodedImage, DecodeOptions, ImageMode } from "../image/picture.ts";
import type { RgbImage } from "../image/rgbImage.ts";
import { componentsOf, withoutExif } from "./jpeg.ts";

/** Bytes of memory for a picture: the browser's, the canvas's and ours. Its size is known once it is decoded. */
const cost = 10 * defaultImageLimits.maxPixels;

/** @throws TinyGptvError "image": another format, or one that browsers decode otherwise than the server */
export async function checkImage(
  bytes: Uint8Array,
  { mode = "display", limits = defaultImageLimits }: DecodeOptions = {},
): Promise<CheckedImage> {
  const format = checkFormat(bytes, limits);
  checkColours(bytes, format, mode);
  return {
    cost,
    async decode() {
      const bitmap = await open(bytes, format, mode);
      try {
        const { width, height } = bitmap;
        if (width * height > limits.maxPixels)
          throw imageError(
            `want at most ${limits.maxPixels} pixels in a page, got ${width}x${height}`,
          );
        return toRgb(bitmap, mode);
      } finally {
        bitmap.close();
      }
    },
  };
}

/** @throws TinyGptvError "image": damaged or cut off */
function open(bytes: Uint8Array, { name, decoder, type }: ImageFormat, mode: ImageMode) {
  const asInFile = mode === "reference";
  const file = asInFile && decoder === "jpeg" ? withoutExif(bytes) : bytes;
  const blob = new Blob([file as Uint8Array<ArrayBuffer>], { type: type! });
  const options = asInFile ? ({ colorSpaceConversion: "none" } as const) : {};
  return createImageBitmap(blob, options).catch((cause: unknown) => {
    throw imageError(`this ${name} file is damaged, cut off or not known to this browser`, cause);
  });
}

function toRgb(bitmap: ImageBitmap, mode: ImageMode): DecodedImage {
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  if (mode === "display") {
    context.fillStyle = "white";
    context.fillRect(0, 0, width, height);
  }
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const rgb = new Uint8Array(3 * width * height);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    if (data[from + 3] !== 255)
      throw imageError(
        "a page cannot read the colours under transparent pixels, which `reference` wants; take `display`, or a server",
      );
    rgb[to] = data[from]!;
    rgb[to + 1] = data[from + 1]!;
    rgb[to + 2] = data[from + 2]!;
  }
  return { width, height, rgb, original: { width, height } };
}

/** Refuses what browsers decode into other colours than the server. */
function checkColours(bytes: Uint8Array, { decoder }: ImageFormat, mode: ImageMode): void {
  if (decoder === "jpeg" && componentsOf(bytes) === 4)
    throw imageError(
      "a page cannot read CMYK JPEG in the colours that a server reads; save it as RGB, or ask a server",
    );
  // Colour type 0 in 16 bits, which Pillow clips.
  if (decoder === "png" && mode === "reference" && bytes[24] === 16 && bytes[25] === 0)
    throw imageError(
      "a page cannot read the levels of a grey PNG of 16 bits, which `reference` wants; take `display`, or a server",
    );
}

/** A picture as a PNG file, to show people what the model sees. */
export async function encodePng({ width, height, rgb }: RgbImage): Promise<Uint8Array> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d")!;
  const pixels = context.createImageData(width, height);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    pixels.data.set(rgb.subarray(from, from + 3), to);
    pixels.data[to + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
  const blob = await canvas.convertToBlob({ type: "image/png" });
  return new Uint8Array(await blob.arrayBuffer());
}
