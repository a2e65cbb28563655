/** Where the points of a plot and their names go, so that none hides another. In px. */

export interface Point {
  x: number;
  y: number;
  label: string;
  colour: string;
}

/** One mark: a point, or several at one place, drawn as rings around each other. */
export interface Mark {
  x: number;
  y: number;
  /** In full, for those who point at it. */
  title: string;
  /** From the outermost to the innermost. */
  rings: { radius: number; colour: string }[];
  /** Left out where there is no room for it. */
  label?: { x: number; y: number; anchor: "middle" | "start" | "end"; text: string };
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

const radius = 6;
const ringWidth = 4;
/** Points closer than this are at one place. */
const near = 3;
const letterWidth = 6.6;
const lineHeight = 14;
const longest = 24; // letters

/** Tried in this order, from the mark's edge. */
const sides = [
  { x: 0, y: -6, anchor: "middle" },
  { x: 0, y: 16, anchor: "middle" },
  { x: 4, y: 4, anchor: "start" },
  { x: -4, y: 4, anchor: "end" },
  { x: 0, y: -20, anchor: "middle" },
  { x: 0, y: 30, anchor: "middle" },
] as const;

/** @param bounds what labels must stay within */
export function marksOf(points: readonly Point[], bounds: Box): Mark[] {
  const marks = atOnePlace(points);
  const taken: Box[] = marks.map(({ x, y, rings }) => around(x, y, rings[0]?.radius ?? radius));
  for (const mark of marks) {
    const own = around(mark.x, mark.y, mark.rings[0]?.radius ?? radius);
    const text = mark.title.length > longest ? `${mark.title.slice(0, longest - 1)}…` : mark.title;
    for (const side of sides) {
      const edge = mark.rings[0]?.radius ?? radius;
      const x = mark.x + side.x + Math.sign(side.x) * edge;
      const y = mark.y + side.y + (side.anchor === "middle" ? Math.sign(side.y) * (edge - 4) : 0);
      const box = boxOf(x, y, side.anchor, text.length * letterWidth);
      const free = taken.every((other) => same(other, own) || !overlap(box, other));
      if (!free || !within(box, bounds)) continue;
      mark.label = { x, y, anchor: side.anchor, text };
      taken.push(box);
      break;
    }
  }
  return marks;
}

function atOnePlace(points: readonly Point[]): Mark[] {
  const groups: Point[][] = [];
  for (const point of points) {
    const group = groups.find(
      ([first]) =>
        first && Math.abs(first.x - point.x) < near && Math.abs(first.y - point.y) < near,
    );
    if (group === undefined) groups.push([point]);
    else group.push(point);
  }
  return groups.map((group) => ({
    x: group[0]?.x ?? 0,
    y: group[0]?.y ?? 0,
    title: group.map(({ label }) => label).join(", "),
    rings: group.map(({ colour }, i) => ({ radius: radius + ringWidth * i, colour })).toReversed(),
  }));
}

const around = (x: number, y: number, r: number): Box => ({
  left: x - r,
  right: x + r,
  top: y - r,
  bottom: y + r,
});

function boxOf(x: number, y: number, anchor: "middle" | "start" | "end", width: number): Box {
  const left = { middle: x - width / 2, start: x, end: x - width }[anchor];
  return { left, right: left + width, top: y - lineHeight + 3, bottom: y + 3 };
}

const same = (a: Box, b: Box): boolean => a.left === b.left && a.top === b.top;
const overlap = (a: Box, b: Box): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
const within = (box: Box, bounds: Box): boolean =>
  box.left >= bounds.left &&
  box.right <= bounds.right &&
  box.top >= bounds.top &&
  box.bottom <= bounds.bottom;
