/** Rules for boxes in answers, at an overlap of one half. */
import { intersectionOverUnion, parseBoxes, type Corners } from "@tinygptv/protocol";
import type { AnswerRecord } from "../record.ts";
import { meanRule, ratio, type Rule } from "./rule.ts";

/** Overlap from which on two boxes are of the same object. */
const enough = 0.5;

type Phrase = Extract<AnswerRecord["expected"], { kind: "phrase" }>;

function phraseOf({ expected, id }: AnswerRecord): Phrase {
  if (expected.kind !== "phrase") throw new Error(`${id}: want phrase, got ${expected.kind}`);
  return expected;
}

/** The box that an answer begins with, spaces aside, as the reference's script reads it; in pixels. */
function leadingBox(answer: string, { size: { width, height } }: Phrase): Corners | undefined {
  const match = /^\{<(\d{1,3})><(\d{1,3})><(\d{1,3})><(\d{1,3})>\}/.exec(
    answer.replaceAll("<unk>", "").replaceAll(" ", "").trim(),
  );
  if (match === null) return undefined;
  const [x1, y1, x2, y2] = match.slice(1).map((digits) => Number(digits) / 100) as Corners;
  return [x1 * width, y1 * height, x2 * width, y2 * height];
}

/** Overlap with corners taken for pixels of the box: each side is one longer. */
function inclusiveOverlap(a: Corners, b: Corners): number {
  const side = (from: number, to: number): number => to - from + 1;
  const area = ([x1, y1, x2, y2]: Corners): number => side(x1, x2) * side(y1, y2);
  const shared =
    Math.max(0, side(Math.max(a[0], b[0]), Math.min(a[2], b[2]))) *
    Math.max(0, side(Math.max(a[1], b[1]), Math.min(a[3], b[3])));
  return shared / (area(a) + area(b) - shared);
}

/** Boxes anywhere in an answer, in pixels. */
const boxesIn = (answer: string, { size }: Phrase): Corners[] =>
  parseBoxes(answer, { ...size, image: 0 }).map(({ pixels }) => pixels);

export const referRules: readonly Rule[] = [
  meanRule(
    "reference",
    "the answer begins with a box that overlaps the right one by more than half, areas counted in pixels with both ends (+1)",
    (record) => {
      const expected = phraseOf(record);
      const box = leadingBox(record.answer, expected);
      return box !== undefined && inclusiveOverlap(box, expected.boxes[0]!) > enough ? 1 : 0;
    },
  ),
  meanRule(
    "official",
    "the first box of the answer overlaps the right one by half or more",
    (record) => {
      const expected = phraseOf(record);
      const [box] = boxesIn(record.answer, expected);
      return box !== undefined && overlaps(box, expected.boxes[0]!) ? 1 : 0;
    },
  ),
];

const overlaps = (a: Corners, b: Corners): boolean => intersectionOverUnion(a, b) >= enough;

/** Boxes that are right, that were given, and that were wanted. */
function countBoxes(record: AnswerRecord): number[] {
  const expected = phraseOf(record);
  const found = boxesIn(record.answer, expected);
  return [matched(found, expected.boxes), found.length, expected.boxes.length];
}

/** How many boxes find one of the others, the best pairs first and each once. */
function matched(found: readonly Corners[], wanted: readonly Corners[]): number {
  const pairs = found
    .flatMap((box, i) =>
      wanted.map((other, j) => ({ i, j, overlap: intersectionOverUnion(box, other) })),
    )
    .filter(({ overlap }) => overlap >= enough)
    .toSorted((a, b) => b.overlap - a.overlap);
  const [left, right] = [new Set<number>(), new Set<number>()];
  for (const { i, j } of pairs)
    if (!left.has(i) && !right.has(j)) {
      left.add(i);
      right.add(j);
    }
  return left.size;
}

const boxRule = (
  name: string,
  description: string,
  figure: (right: number, found: number, wanted: number) => number,
): Rule => ({
  name,
  description,
  measure: (records) => records.map(countBoxes),
  figure: ([right = 0, found = 0, wanted = 0]) => figure(right, found, wanted),
});

export const detectionRules: readonly Rule[] = [
  boxRule(
    "F1@0.5",
    "harmonic mean of precision and recall; a box is right that overlaps a wanted one by half or more, each wanted one counting once",
    (right, found, wanted) => ratio(2 * right, found + wanted),
  ),
  boxRule("precision@0.5", "right boxes of those given", (right, found) => ratio(right, found)),
  boxRule("recall@0.5", "right boxes of those wanted", (right, _, wanted) => ratio(right, wanted)),
];
