import type { Box } from "./events.ts";

/** x1, y1, x2, y2 */
export type Corners = Box["percent"];

/** The picture that boxes are on: its original size, and its place among the request's pictures. */
export interface BoxPicture {
  readonly width: number;
  readonly height: number;
  readonly image: number;
}

/**
 * Boxes in an answer, read as the reference's demo reads them. The text counts
 * up to its last `}`. After every `<p>phrase</p>` follow boxes separated by
 * `<delim>`, up to the first `}` that no further mark (`<`) follows; a box is a
 * piece with exactly four integers. Where there is no `<p>`, a text with exactly
 * four integers is one box without a phrase.
 *
 * Nothing a model writes is an error. `percent` has the numbers as written;
 * in `pixels` they are held inside the picture, and corners in the wrong order
 * are exchanged, so that every box can be drawn.
 */
export function parseBoxes(answer: string, picture: BoxPicture): Box[] {
  const end = answer.lastIndexOf("}") + 1;
  const text = end > 0 ? answer.slice(0, end) : answer;
  const [before, ...parts] = text.split("<p>");
  if (parts.length === 0) return toBoxes("", [before!], picture);
  return parts.flatMap((part) => {
    const phraseEnd = part.indexOf("</p>");
    if (phraseEnd < 0) return [];
    const boxes = part.slice(phraseEnd + "</p>".length);
    const boxesEnd = boxes.search(/\}(?!<)/) + 1;
    const pieces = (boxesEnd > 0 ? boxes.slice(0, boxesEnd) : boxes).split("<delim>");
    return toBoxes(part.slice(0, phraseEnd), pieces, picture);
  });
}

function toBoxes(
  phrase: string,
  pieces: readonly string[],
  { width, height, image }: BoxPicture,
): Box[] {
  return pieces.flatMap((piece) => {
    const numbers = (piece.match(/-?\d+/g) ?? []).map(toSafeInteger);
    if (numbers.length !== 4) return [];
    const percent = numbers as Corners;
    const [x1, y1, x2, y2] = percent;
    const [left, right] = inside([x1, x2], width);
    const [top, bottom] = inside([y1, y2], height);
    return [{ phrase, percent, pixels: [left, top, right, bottom], image }];
  });
}

/** A written number of any length, such that JSON can hold it. */
function toSafeInteger(digits: string): number {
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(digits)));
}

/** Two percentages of a side as pixels, the smaller first. */
function inside(percents: [number, number], side: number): [number, number] {
  const [a, b] = percents.map((percent) => (Math.max(0, Math.min(100, percent)) / 100) * side);
  return [Math.min(a!, b!), Math.max(a!, b!)];
}

/**
 * A box in pixels as percentages of its picture, cut to integers, not rounded,
 * as in the training data. What lies outside the picture is moved to its border.
 */
export function toPercent([x1, y1, x2, y2]: Corners, width: number, height: number): Corners {
  return [cut(x1, width), cut(y1, height), cut(x2, width), cut(y2, height)];
}

function cut(pixel: number, side: number): number {
  return Math.trunc((Math.max(0, Math.min(side, pixel)) / side) * 100);
}

/** A box as prompts and answers write it: `{<25><30><50><60>}`. */
export function formatBox(percent: Corners): string {
  return `{${percent.map((value) => `<${value}>`).join("")}}`;
}
