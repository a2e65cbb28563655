/** Sets tokens like music: line after line, each with one row a level under it. */
import { visible } from "../answer/tokens.ts";

/** A line's tokens, as indices: `end` is the first one after it. */
export interface Stave {
  start: number;
  end: number;
}

/** A token on one line; blanks and line ends that stand alone are visible. */
export const onOneLine = (text: string): string => visible(text.replaceAll("\n", "↵"));

/** How many columns of a fixed-width face a text takes; East Asian characters and emoji count twice. */
export const columnsOf = (text: string): number =>
  Array.from(text).reduce((sum, character) => sum + (character >= "\u2e80" ? 2 : 1), 0);

/**
 * Breaks tokens into lines.
 * @param widths of the tokens, in px
 * @param room of a line, in px; a token wider than it gets a line of its own
 */
export function stavesOf(widths: readonly number[], room: number): Stave[] {
  const staves: Stave[] = [];
  let used = Infinity;
  widths.forEach((width, index) => {
    const last = staves.at(-1);
    if (last !== undefined && used + width <= room) {
      last.end = index + 1;
      used += width;
    } else {
      staves.push({ start: index, end: index + 1 });
      used = width;
    }
  });
  return staves;
}

/**
 * Where a key leads from a token: along the line, or to the token above or below.
 * @returns undefined for keys that do not move, and past the ends
 */
export function moved(
  key: string,
  index: number,
  staves: readonly Stave[],
  widths: readonly number[],
): number | undefined {
  const line = staves.findIndex(({ end }) => index < end);
  const stave = staves[line];
  if (stave === undefined) return undefined;
  const targets: Record<string, () => number | undefined> = {
    ArrowRight: () => (index + 1 < widths.length ? index + 1 : undefined),
    ArrowLeft: () => (index > 0 ? index - 1 : undefined),
    Home: () => stave.start,
    End: () => stave.end - 1,
    ArrowDown: () => tokenAt(staves[line + 1], leftOf(index, stave, widths), widths),
    ArrowUp: () => tokenAt(staves[line - 1], leftOf(index, stave, widths), widths),
  };
  return targets[key]?.();
}

/** Where a token begins in its line, in px. */
const leftOf = (index: number, { start }: Stave, widths: readonly number[]): number =>
  widths.slice(start, index).reduce((sum, width) => sum + width, 0);

/** The token of a line that covers a place, or the line's last. */
function tokenAt(
  stave: Stave | undefined,
  left: number,
  widths: readonly number[],
): number | undefined {
  if (stave === undefined) return undefined;
  let right = 0;
  for (let index = stave.start; index < stave.end; index++) {
    right += widths[index] ?? 0;
    if (right > left) return index;
  }
  return stave.end - 1;
}
