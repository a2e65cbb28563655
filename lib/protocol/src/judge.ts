import type { Box } from "./events.ts";

/** How an answer is held against the expected one. */
export const metrics = ["exact", "contains", "iou"] as const;
export type Metric = (typeof metrics)[number];

type Rectangle = readonly [x1: number, y1: number, x2: number, y2: number];

/** Overlap at which a box counts as found; the reference's evaluation uses the same. */
const iouThreshold = 0.5;

/**
 * Whether an answer meets the expected one.
 * - `exact`: the same text, apart from space at its ends and capitals
 * - `contains`: the expected text occurs in the answer
 * - `iou`: every expected box (`{<x1><y1><x2><y2>}`) is overlapped by at least half by one of the answer's
 */
export function judge(
  metric: Metric,
  answer: { text: string; boxes: readonly Box[] },
  expected: string,
): boolean {
  const want = normalise(expected);
  if (metric === "exact") return normalise(answer.text) === want;
  if (metric === "contains") return normalise(answer.text).includes(want);
  const wanted = boxesIn(expected);
  return (
    wanted.length > 0 &&
    wanted.every((box) =>
      answer.boxes.some((found) => intersectionOverUnion(box, found.percent) >= iouThreshold),
    )
  );
}

const normalise = (text: string): string => text.trim().toLowerCase();

function boxesIn(text: string): Rectangle[] {
  return [...text.matchAll(/\{<(\d+)><(\d+)><(\d+)><(\d+)>\}/g)].map(
    ([, x1, y1, x2, y2]) => [Number(x1), Number(y1), Number(x2), Number(y2)] as const,
  );
}

/** Area of the overlap over area of the union, 0 to 1. */
export function intersectionOverUnion(a: Rectangle, b: Rectangle): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const overlap = width * height;
  const area = (box: Rectangle): number => (box[2] - box[0]) * (box[3] - box[1]);
  return overlap / (area(a) + area(b) - overlap);
}
