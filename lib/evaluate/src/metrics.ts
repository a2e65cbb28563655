/** Whether an answer is right, as the tasks of the reference are scored. */
import { parseBoxes } from "@tinygptv/protocol";
import type { Corners } from "@tinygptv/protocol";

/** How the answer to a prompt is scored, by the tag the prompt begins with. */
type Score = (answer: string, reference: string) => boolean;

const scores: Record<string, Score> = {
  refer: sameBox,
  detection: sameObjects,
  grounding: sameObjects,
};

/**
 * `[refer]`: the box overlaps the reference's by at least half. `[detection]`
 * and `[grounding]`: the same names, each with such boxes, in any order.
 * Everything else, and answers without boxes: the same text.
 */
export function isCorrect(prompt: string, answer: string, reference: string): boolean {
  const tag = /^\s*\[(\w+)\]/.exec(prompt)?.[1] ?? "";
  return (scores[tag] ?? sameText)(answer, reference);
}

/** Overlap of two boxes: the area they share over the area they cover together, 0 to 1. */
export function intersectionOverUnion(a: Corners, b: Corners): number {
  const side = (from: number, to: number) => Math.max(0, to - from);
  const area = ([x1, y1, x2, y2]: Corners) => side(x1, x2) * side(y1, y2);
  const shared =
    side(Math.max(a[0], b[0]), Math.min(a[2], b[2])) *
    side(Math.max(a[1], b[1]), Math.min(a[3], b[3]));
  const together = area(a) + area(b) - shared;
  return together > 0 ? shared / together : 0;
}

/** Overlap from which two boxes count as one (PASCAL VOC, RefCOCO). */
const enough = 0.5;

function sameText(answer: string, reference: string): boolean {
  return answer.trim() === reference.trim();
}

function sameBox(answer: string, reference: string): boolean {
  const [got, want] = [boxesIn(answer), boxesIn(reference)];
  if (want.length === 0) return sameText(answer, reference);
  return got.length > 0 && intersectionOverUnion(got[0]!.percent, want[0]!.percent) >= enough;
}

function sameObjects(answer: string, reference: string): boolean {
  const [got, want] = [boxesIn(answer), boxesIn(reference)];
  if (want.length === 0) return sameText(answer, reference);
  if (got.length !== want.length) return false;
  const left = [...got];
  return want.every(({ phrase, percent }) => {
    const fits = left.findIndex(
      (box) => box.phrase === phrase && intersectionOverUnion(box.percent, percent) >= enough,
    );
    if (fits >= 0) left.splice(fits, 1);
    return fits >= 0;
  });
}

const boxesIn = (text: string) => parseBoxes(text, { width: 100, height: 100, image: 0 });
