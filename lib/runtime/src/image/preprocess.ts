import { resizeBicubic } from "./resize.ts";
import type { RgbImage } from "./rgbImage.ts";

/** How a model wants its pictures. */
export interface PreprocessConfig {
  /** Side of the square, in pixels. */
  readonly size: number;
  /** Per channel (R, G, B), of levels scaled to 0..1. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/**
 * Levels 0..255 to (level / 255 - mean) / std, channels first.
 *
 * @param rgb [size,size,3]
 * @returns [3,size,size]
 */
export function normalize(rgb: Uint8Array, { size, mean, std }: PreprocessConfig): Float32Array {
  const plane = size * size;
  const pixelValues = new Float32Array(3 * plane);
  for (let channel = 0; channel < 3; channel++) {
    const table = Float32Array.from(
      { length: 256 },
      (_, u) => (u / 255 - mean[channel]!) / std[channel]!,
    );
    for (let i = 0; i < plane; i++) {
      pixelValues[channel * plane + i] = table[rgb[3 * i + channel]!]!;
    }
  }
  return pixelValues;
}

/**
 * What the vision encoder takes: resized to a square (aspect ratio not kept,
 * no crop) and normalised, as in the reference's evaluation transform.
 *
 * @returns pixelValues [3,size,size]
 */
export function preprocess(image: RgbImage, config: PreprocessConfig): Float32Array {
  return normalize(resizeBicubic(image.rgb, image.width, image.height, config.size), config);
}
