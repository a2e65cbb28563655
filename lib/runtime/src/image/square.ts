import type { ImageMode } from "./picture.ts";

/** A picture as the square that a model takes, before normalisation. */
export interface Square {
  /** [size,size,3] */
  readonly rgb: Uint8Array;
  /** Pixels of the picture it was, after EXIF rotation where that is applied. */
  readonly original: { readonly width: number; readonly height: number };
}

export interface PictureOptions {
  mode: ImageMode;
  /** On whose behalf: clients take turns. */
  client?: string | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Decodes a picture and resizes it to a square of `size` pixels a side.
 * @throws TinyGptvError "image", "aborted" while waiting for its turn
 */
export type ReadSquare = (
  bytes: Uint8Array,
  size: number,
  options: PictureOptions,
) => Promise<Square>;
