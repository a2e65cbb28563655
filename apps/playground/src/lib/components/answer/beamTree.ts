export interface BeamNode {
  text: string;
  children: BeamNode[];
  /** Ranks (from 0) of the hypotheses that end here. */
  leaves: number[];
}

/** Hypotheses as a tree of words: what they share is written once. */
export function commonPrefixTree(texts: readonly string[]): BeamNode[] {
  const split = texts.map((text, rank) => ({ words: text.split(/(?<=\s)/), rank }));
  return grow(split);
}

function grow(rest: readonly { words: readonly string[]; rank: number }[]): BeamNode[] {
  const groups = new Map<string, { words: readonly string[]; rank: number }[]>();
  for (const { words, rank } of rest) {
    const [first, ...others] = words;
    if (first === undefined) continue;
    groups.set(first, [...(groups.get(first) ?? []), { words: others, rank }]);
  }
  return [...groups].map(([text, members]) => {
    const node = {
      text,
      children: grow(members),
      leaves: members.filter(({ words }) => words.length === 0).map(({ rank }) => rank),
    };
    // A chain without forks reads as one piece.
    const only =
      node.children.length === 1 && node.leaves.length === 0 ? node.children[0] : undefined;
    return only === undefined ? node : { ...only, text: node.text + only.text };
  });
}
