/**
 * Drafts by looking back (prompt lookup decoding): where the last `ngramSize`
 * tokens occurred before, in the prompt or in the answer, what followed then is
 * proposed again, up to `draftLength` tokens. Pays for answers that quote.
 * `prompt` are the prompt's text tokens, with its pictures left out.
 */
export function promptLookup(
  prompt: readonly number[],
  { ngramSize = 2, draftLength = 8 } = {},
): (tokens: readonly number[]) => number[] {
  return (tokens) => {
    // The history starts with the begin token, which is in no text.
    const text = [...prompt, ...tokens.slice(1)];
    const tail = text.length - ngramSize;
    for (let start = tail - 1; start >= 0; start--) {
      let length = 0;
      while (length < ngramSize && text[start + length] === text[tail + length]) length++;
      if (length === ngramSize)
        return text.slice(start + ngramSize, start + ngramSize + draftLength);
    }
    return [];
  };
}
