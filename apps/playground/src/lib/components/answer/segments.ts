/** An answer as words and boxes: `<p>a dog</p> {<5><10><40><60>}` is a phrase linked to its rectangle. */
export type Segment =
  | { kind: "text"; text: string }
  | { kind: "linked"; text: string; boxes: number[] };

const box = /\{<\d{1,3}><\d{1,3}><\d{1,3}><\d{1,3}>\}/g;
const linked = new RegExp(`(?:<p>(.*?)</p>\\s*)?((?:${box.source}(?:<delim>)?)+)`, "g");

/** Boxes are numbered in the order of the answer, as the endpoint returns them. */
export function segmentsOf(text: string): Segment[] {
  const segments: Segment[] = [];
  let end = 0;
  let next = 0;
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

/** Corners for reading: `{<11><11><91><86>}` is `11, 11 – 91, 86`. */
const coordinates = (text: string): string =>
  [...text.matchAll(/<(\d+)><(\d+)><(\d+)><(\d+)>/g)]
    .map(([, x1, y1, x2, y2]) => `${x1}, ${y1} – ${x2}, ${y2}`)
    .join("; ");

/** Colour of a box and its words. */
export const seriesColour = (index: number): string => `var(--series-${(index % 6) + 1})`;
