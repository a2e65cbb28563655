/** Whether generation ends after the last of `tokens`: the begin token, then the answer, not empty. */
export type StoppingCriterion = (tokens: readonly number[]) => boolean;

/** Ends where any of the criteria does. */
export function anyOf(criteria: readonly StoppingCriterion[]): StoppingCriterion {
  return (tokens) => criteria.some((isEnd) => isEnd(tokens));
}

/** Ends at single tokens. */
export function endTokens(ids: readonly number[]): StoppingCriterion {
  const ends = new Set(ids);
  return (tokens) => ends.has(tokens.at(-1)!);
}

/** Ends where the answer ends with one of the given token sequences. */
export function tokenSequences(sequences: readonly (readonly number[])[]): StoppingCriterion {
  return (tokens) =>
    sequences.some((sequence) => {
      const start = tokens.length - sequence.length;
      return start >= 1 && sequence.every((id, i) => id === tokens[start + i]);
    });
}

/**
 * Ends where a text is complete, however its characters are spread over tokens.
 * Only as many of the last tokens are looked at as can hold the text.
 * `tokenBytes` gives the UTF-8 bytes a token stands for.
 */
export function stopTexts(
  texts: readonly string[],
  tokenBytes: (id: number) => Uint8Array,
): StoppingCriterion {
  const encoder = new TextEncoder();
  const stops = texts.map((text) => latin1(encoder.encode(text)));
  const longest = Math.max(0, ...stops.map((stop) => stop.length));
  return (tokens) => {
    // Bytes as one character each, so that strings can be searched for them.
    const last = latin1(tokenBytes(tokens.at(-1)!));
    let before = "";
    for (let i = tokens.length - 2; i >= 1 && before.length < longest - 1; i--) {
      before = latin1(tokenBytes(tokens[i]!)) + before;
    }
    const tail = before + last;
    return stops.some((stop) => {
      // Complete only now: the last byte of the text is in the last token.
      const from = Math.max(0, tail.length - last.length - stop.length + 1);
      return tail.indexOf(stop, from) >= 0;
    });
  };
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
