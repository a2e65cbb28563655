/** A decoded picture: 8-bit levels, [height,width,3]. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}
