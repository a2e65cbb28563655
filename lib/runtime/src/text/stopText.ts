/** Cuts a stream of text before the first stop text. */
export interface StopScanner {
  /**
   * Takes the next piece. `text` is what can be shown: everything that cannot
   * be part of a stop text any more. Once stopped, `text` ends right before the
   * stop text, and whatever comes later is dropped.
   */
  push(piece: string): { text: string; stopped: boolean };
  /** The text held back at the end, which turned out not to be a stop text. */
  flush(): string;
}

/**
 * For each prefix of `pattern`, the length of its longest proper suffix that is
 * also a prefix of `pattern` (Knuth, Morris, Pratt 1977).
 */
function borders(pattern: string): Uint16Array {
  const table = new Uint16Array(pattern.length + 1);
  let length = 0;
  for (let i = 1; i < pattern.length; i++) {
    while (length > 0 && pattern[i] !== pattern[length]) length = table[length]!;
    if (pattern[i] === pattern[length]) length++;
    table[i + 1] = length;
  }
  return table;
}

/** Follows one pattern through a text; says how much of it the text so far ends with. */
function createMatcher(pattern: string) {
  const table = borders(pattern);
  let matched = 0;
  return (unit: string): number => {
    while (matched > 0 && pattern[matched] !== unit) matched = table[matched]!;
    if (pattern[matched] === unit) matched++;
    return matched;
  };
}

/**
 * Looks for several stop texts at once, across the borders of pieces. The one
 * that is complete first wins; of several complete at the same place, the
 * longest. Time is linear in the text, memory in the longest stop text.
 *
 * @param stops none empty
 */
export function createStopScanner(stops: readonly string[]): StopScanner {
  const matchers = stops.map((stop) => ({ length: stop.length, match: createMatcher(stop) }));
  let held = "";
  let stopped = false;
  return {
    push(piece) {
      if (stopped) return { text: "", stopped };
      const text = held + piece;
      let open = held.length; // how much of the text's end may become a stop text
      for (let i = held.length; i < text.length; i++) {
        open = 0;
        let complete = 0;
        for (const { length, match } of matchers) {
          const matched = match(text[i]!);
          open = Math.max(open, matched);
          if (matched === length) complete = Math.max(complete, length);
        }
        if (complete > 0) {
          stopped = true;
          held = "";
          return { text: text.slice(0, i + 1 - complete), stopped };
        }
      }
      held = text.slice(text.length - open);
      return { text: text.slice(0, text.length - open), stopped };
    },
    flush() {
      const rest = held;
      held = "";
      return rest;
    },
  };
}
