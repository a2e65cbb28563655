import { elementCount, viewAs } from "@tinygptv/model";

/** A tensor as a view of a storage; all numbers count elements. */
export interface StridedView {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

/** One direction of a copy: how many steps, and how far one goes in the storage and in the dense result. */
interface Axis {
  readonly size: number;
  readonly from: number;
  readonly to: number;
}

// A view may repeat a storage's elements (stride 0), but not grow without bounds.
const maxRepeatedElements = 16 << 20;

/**
 * What makes a view unreadable, or undefined if nothing does. Views that overlap
 * themselves other than by repeating (stride 0) are refused: no weight is one,
 * and reading one can take the square of the storage's size.
 */
export function viewProblem(view: StridedView, storageElements: number): string | undefined {
  if (view.shape.includes(0)) return undefined;
  const count = elementCount(view.shape);
  const axes = axesOf(view.shape, view.strides);
  const end = view.offset + span(axes);
  if (end > storageElements)
    return `want a view within the ${storageElements} elements of its storage, got one to ${end}`;
  const overlaps = axes.some((axis, i) => axis.from > 0 && axis.from < span(axes.slice(i + 1)));
  if (overlaps) return `want a view that does not overlap itself, got strides [${view.strides}]`;
  const most = Math.max(storageElements, maxRepeatedElements);
  if (count > most) return `want a view of at most ${most} elements, got ${count}`;
  return undefined;
}

/**
 * Dense, row-major bytes of a view that has no `viewProblem`. A contiguous one
 * is a single read; of any other, stretches of at most `windowBytes` are read in
 * the order of the file and their elements put where they belong.
 */
export async function readStrided(
  view: StridedView,
  elementBytes: number,
  read: (offset: number, length: number) => Promise<Uint8Array>,
  windowBytes = 16 << 20,
): Promise<Uint8Array> {
  if (view.shape.includes(0)) return new Uint8Array(0);
  const count = elementCount(view.shape);
  // Words of 4 bytes at most: typed arrays of 8-byte floats may change the bits of a NaN.
  const wordBytes = Math.min(elementBytes, 4);
  const words = elementBytes / wordBytes;
  const axes = axesOf([...view.shape, words], [...view.strides.map((stride) => stride * words), 1]);
  const isContiguous = axes.length === 1 && axes[0]!.from === 1;
  if (isContiguous || count === 1) return read(view.offset * elementBytes, count * elementBytes);

  const dense = new Uint8Array(count * elementBytes);
  const Words = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array }[wordBytes]!;
  const target = viewAs<WordArray>(Words, dense);

  async function fill(part: readonly Axis[], from: number, to: number): Promise<void> {
    const partSpan = span(part);
    if (partSpan * wordBytes <= windowBytes) {
      const source = viewAs<WordArray>(Words, await read(from * wordBytes, partSpan * wordBytes));
      copy(part, source, 0, target, to);
      return;
    }
    const [outer, ...inner] = part as [Axis, ...Axis[]];
    const room = windowBytes / wordBytes - span(inner);
    const steps = Math.max(1, 1 + Math.floor(room / outer.from));
    for (let i = 0; i < outer.size; i += steps) {
      const size = Math.min(steps, outer.size - i);
      const slice = size === 1 ? inner : [{ ...outer, size }, ...inner];
      await fill(slice, from + i * outer.from, to + i * outer.to);
    }
  }

  await fill(axes, view.offset * words, 0);
  return dense;
}

type WordArray = Uint8Array | Uint16Array | Uint32Array;

/** The axes of a view, the one with the largest stride first; those that are one run in both places are joined. */
function axesOf(shape: readonly number[], strides: readonly number[]): Axis[] {
  const axes: Axis[] = [];
  for (let i = shape.length - 1, to = 1; i >= 0; to *= shape[i--]!) {
    if (shape[i]! !== 1) axes.unshift({ size: shape[i]!, from: strides[i]!, to });
  }
  axes.sort((a, b) => b.from - a.from);
  const joined: Axis[] = [];
  for (const axis of axes) {
    const last = joined.at(-1);
    if (last && last.from === axis.size * axis.from && last.to === axis.size * axis.to) {
      joined[joined.length - 1] = { ...axis, size: last.size * axis.size };
    } else {
      joined.push(axis);
    }
  }
  return joined;
}

/** Elements from the first to the last of a view, both included. */
function span(axes: readonly Axis[]): number {
  return axes.reduce((length, { size, from }) => length + (size - 1) * from, 1);
}

function copy(
  axes: readonly Axis[],
  source: WordArray,
  from: number,
  target: WordArray,
  to: number,
): void {
  const [axis, ...inner] = axes;
  if (!axis) {
    target[to] = source[from]!;
  } else if (inner.length > 0) {
    for (let i = 0; i < axis.size; i++)
      copy(inner, source, from + i * axis.from, target, to + i * axis.to);
  } else if (axis.from === 1 && axis.to === 1) {
    target.set(source.subarray(from, from + axis.size), to);
  } else {
    for (let i = 0; i < axis.size; i++) target[to + i * axis.to] = source[from + i * axis.from]!;
  }
}
