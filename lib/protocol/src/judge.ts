/** Whether an answer is right: the one judge of notebooks, comparisons of levels and the page. */
import { parseBoxes, type Corners } from "./boxes.ts";
import { normaliseAnswer } from "./normaliseAnswer.ts";

/** How an answer is held against the expected one. The first is the default. */
export const metrics = ["vqa", "exact", "contains", "iou"] as const;
export type Metric = (typeof metrics)[number];

/**
 * Overlap above which two boxes count as one, as in the reference's evaluation
 * of RefCOCO. It counts pixels; here there are percentages only.
 */
const enough = 0.5;

const judges: Readonly<Record<Metric, (answer: string, expected: string) => boolean>> = {
  vqa: sameAnswer,
  exact: (answer, expected) => answer.trim() === expected.trim(),
  contains: containsAnswer,
  iou: sameBoxes,
};

/**
 * Whether an answer meets the expected one.
 * - `vqa`: the same answer under VQA's evaluation: capitals, articles, punctuation
 *   and whether a number is a word or digits do not matter
 * - `exact`: the same text, apart from space at its ends
 * - `contains`: the expected text occurs in the answer, as the reference scores GQA
 *   and VSR (whatever the capitals), or so do its words once both are normalised
 * - `iou`: as many boxes, in any order, each above half overlapped by one of the expected;
 *   where those have names, of the same name. Compared as `vqa` where none are expected
 */
export const judge = (metric: Metric, answer: string, expected: string): boolean =>
  judges[metric](answer, expected);

const taskMetrics: Readonly<Record<string, Metric>> = {
  refer: "iou",
  detection: "iou",
  grounding: "iou",
};

/** How answers to a prompt are held against the expected ones, by the task's tag it begins with. */
export function metricOf(prompt: string): Metric {
  const tag = /^\s*\[(\w+)\]/.exec(prompt)?.[1] ?? "";
  return taskMetrics[tag] ?? metrics[0];
}

function sameAnswer(answer: string, expected: string): boolean {
  return normaliseAnswer(answer) === normaliseAnswer(expected);
}

function containsAnswer(answer: string, expected: string): boolean {
  const words = (text: string): string => ` ${normaliseAnswer(text)} `;
  return (
    answer.toLowerCase().includes(expected.trim().toLowerCase()) ||
    words(answer).includes(words(expected))
  );
}

function sameBoxes(answer: string, expected: string): boolean {
  const wanted = expectedBoxes(expected);
  if (wanted.length === 0) return sameAnswer(answer, expected);
  const found = boxesOf(answer);
  if (found.length !== wanted.length) return false;
  const left = [...found];
  return wanted.every(({ phrase, percent }) => {
    const fits = left.findIndex(
      (box) =>
        (phrase === "" || sameAnswer(box.phrase, phrase)) &&
        intersectionOverUnion(box.percent, percent) > enough,
    );
    if (fits >= 0) left.splice(fits, 1);
    return fits >= 0;
  });
}

interface NamedBox {
  /** "" for none. */
  phrase: string;
  percent: Corners;
}

const boxesOf = (text: string): NamedBox[] =>
  parseBoxes(text, { width: 100, height: 100, image: 0 });

/** A person may write several boxes without names, which the model never does. */
function expectedBoxes(text: string): NamedBox[] {
  if (text.includes("<p>")) return boxesOf(text);
  return [...text.matchAll(/\{<-?\d+><-?\d+><-?\d+><-?\d+>\}/g)].flatMap(([box]) => boxesOf(box));
}

/** Overlap of two boxes: the area they share over the area they cover together, 0 to 1. */
export function intersectionOverUnion(a: Corners, b: Corners): number {
  const side = (from: number, to: number): number => Math.max(0, to - from);
  const area = ([x1, y1, x2, y2]: Corners): number => side(x1, x2) * side(y1, y2);
  const shared =
    side(Math.max(a[0], b[0]), Math.min(a[2], b[2])) *
    side(Math.max(a[1], b[1]), Math.min(a[3], b[3]));
  const together = area(a) + area(b) - shared;
  return together > 0 ? shared / together : 0;
}
