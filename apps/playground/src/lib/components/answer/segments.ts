/** An answer as words and boxes: `<p>a dog</p> {<5><10><40><60>}` is a phrase linked to its rectangle. */
export type Segment =
  | { kind: "text"; text: string }
  | { kind: "linked"; text: string; boxes: number[] };

const box = /\{<\d{1,3}><\d{1,3}><\d{1,3}><\d{1,3}>\}/g;
const linked = new RegExp(`(?:<p>(.*?)</p>\\s*)?((?:${box.source}(?:<delim>)?)+)`, "g");

/**
 * Boxes are numbered in the order of the answer, as the endpoint returns them.
 * @param firstBox number of the text's first box
 */
export function segmentsOf(text: string, firstBox = 0): Segment[] {
  const segments: Segment[] = [];
  let end = 0;
  let next = firstBox;
  for (const match of text.matchAll(linked)) {
    if (match.index > end) segments.push({ kind: "text", text: text.slice(end, match.index) });
    const count = match[2]?.match(box)?.length ?? 0;
    const boxes = Array.from({ length: count }, () => next++);
    segments.push({ kind: "linked", text: match[1] ?? coordinates(match[2] ?? ""), boxes });
    end = match.index + match[0].length;
  }
  if (end < text.length) segments.push({ kind: "text", text: text.slice(end) });
  return segments;
}

/**
 * As `segmentsOf`, in two parts: up to where the answer parts from another, and
 * from there on. A phrase and its boxes stay whole and go to the second.
 * @param from index in UTF-16 units
 */
export function partedSegments(text: string, from: number): [Segment[], Segment[]] {
  const across = [...text.matchAll(linked)].find(
    (match) => match.index < from && from < match.index + match[0].length,
  );
  const cut = across?.index ?? from;
  const same = segmentsOf(text.slice(0, cut));
  const boxes = same.flatMap((segment) => (segment.kind === "linked" ? segment.boxes : []));
  return [same, segmentsOf(text.slice(cut), boxes.length)];
}

/** Corners for reading: `{<11><11><91><86>}` is `11, 11 – 91, 86`. */
const coordinates = (text: string): string =>
  [...text.matchAll(/<(\d+)><(\d+)><(\d+)><(\d+)>/g)]
    .map(([, x1, y1, x2, y2]) => `${x1}, ${y1} – ${x2}, ${y2}`)
    .join("; ");

/** Colour of a box and its words. */
export const seriesColour = (index: number): string => `var(--series-${(index % 6) + 1})`;
