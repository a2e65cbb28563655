import { formatBox, type Corners } from "@tinygptv/protocol";

/** A box of a data set: left, top, width, height in pixels. */
export type PixelBox = readonly [x: number, y: number, width: number, height: number];

/**
 * A box as the reference's data sets write it: corners in hundredths of the picture's
 * sides, cut to integers. A box that reaches out of its picture stays as it is.
 */
export function boxText(
  [x, y, w, h]: PixelBox,
  picture: { width: number; height: number },
): string {
  const corners: Corners = [
    Math.trunc((x / picture.width) * 100),
    Math.trunc((y / picture.height) * 100),
    Math.trunc(((x + w) / picture.width) * 100),
    Math.trunc(((y + h) / picture.height) * 100),
  ];
  return formatBox(corners);
}
