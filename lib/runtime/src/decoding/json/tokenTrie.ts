/**
 * All tokens of a vocabulary by their bytes, in the order of a walk that visits
 * shared beginnings once. Flat arrays, as 50,000 tokens have some 120,000 nodes.
 */
import { TinyGptvError } from "@tinygptv/protocol";
import type { Automaton, State } from "@tinygptv/protocol";

export interface TokenTrie {
  /** Per node, in order of the walk: its last byte, */
  readonly bytes: Uint8Array;
  /** its depth (1 for single bytes), */
  readonly depths: Uint16Array;
  /** the token that ends there or -1, */
  readonly tokens: Int32Array;
  /** and the first node after everything below it. */
  readonly ends: Int32Array;
  /** Bytes of the longest token. */
  readonly longest: number;
}

export function createTokenTrie(
  tokens: Iterable<readonly [id: number, bytes: Uint8Array]>,
): TokenTrie {
  // One character a byte: strings of them sort several times faster than arrays.
  const sorted = Array.from(tokens, ([id, token]) => ({ id, text: String.fromCharCode(...token) }))
    .filter(({ text }) => text !== "")
    .toSorted((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : a.id - b.id));
  const bytes: number[] = [];
  const depths: number[] = [];
  const ids: number[] = [];
  let previous = "";
  for (const { id, text } of sorted) {
    let shared = 0;
    while (shared < previous.length && previous[shared] === text[shared]) shared += 1;
    // A token of the same bytes as another gets a node beside it.
    if (shared === text.length) shared -= 1;
    for (let depth = shared; depth < text.length; depth += 1) {
      bytes.push(text.charCodeAt(depth));
      depths.push(depth + 1);
      ids.push(depth === text.length - 1 ? id : -1);
    }
    previous = text;
  }
  return {
    bytes: Uint8Array.from(bytes),
    depths: Uint16Array.from(depths),
    tokens: Int32Array.from(ids),
    ends: endsOf(depths),
    longest: depths.reduce((most, depth) => Math.max(most, depth), 0),
  };
}

function endsOf(depths: readonly number[]): Int32Array {
  const ends = new Int32Array(depths.length);
  const open: number[] = [];
  depths.forEach((depth, node) => {
    while (open.length >= depth) ends[open.pop()!] = node;
    open.push(node);
  });
  for (const node of open) ends[node] = depths.length;
  return ends;
}

/**
 * Readings followed for one list of tokens at most, well under a second: the
 * schema of one answer must not hold up the others. A plain one takes some
 * thousands.
 */
const maxWork = 1_000_000;

/**
 * Which tokens may come next, as ids in the order of the walk.
 * @throws TinyGptvError "parameter", subject "jsonSchema", where that takes too long to find out
 */
export function allowedTokens(
  { bytes, depths, tokens, ends }: TokenTrie,
  automaton: Automaton,
  state: State,
): Int32Array {
  const allowed: number[] = [];
  /** The state before the byte at each depth. */
  const path: State[] = [state];
  const begin = automaton.work;
  for (let node = 0; node < bytes.length;) {
    if (automaton.work - begin > maxWork)
      throw new TinyGptvError(
        "parameter",
        `jsonSchema: too ambiguous, over ${maxWork} readings for one token`,
        { subject: "jsonSchema" },
      );
    const depth = depths[node]!;
    const next = automaton.step(path[depth - 1]!, bytes[node]!);
    if (next === undefined) {
      node = ends[node]!;
      continue;
    }
    path[depth] = next;
    if (tokens[node]! >= 0) allowed.push(tokens[node]!);
    node += 1;
  }
  return Int32Array.from(allowed);
}
