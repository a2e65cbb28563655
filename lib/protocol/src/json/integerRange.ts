import type { Grammar, GrammarBuilder } from "./grammar.ts";

/** Integers from `min` to `max` as JSON writes them: no leading zeros, no `-0`. Both ends are safe integers. */
export function integerRange(g: GrammarBuilder, min: number, max: number): Grammar {
  const options: Grammar[] = [];
  if (min < 0) {
    const from = Math.max(1, -max);
    if (from <= -min) options.push(g.sequence(g.text("-"), naturals(g, from, -min)));
  }
  if (max >= 0) options.push(naturals(g, Math.max(0, min), max));
  return g.choice(...options);
}

/** 0 <= min <= max; one option for each number of digits. */
function naturals(g: GrammarBuilder, min: number, max: number): Grammar {
  const options: Grammar[] = [];
  for (let length = String(min).length; length <= String(max).length; length += 1) {
    const first = length === 1 ? 0 : 10 ** (length - 1);
    const last = 10 ** length - 1;
    options.push(sameLength(g, String(Math.max(min, first)), String(Math.min(max, last))));
  }
  return g.choice(...options);
}

/** Numbers between two of the same length: by their first digit, then by the rest. */
function sameLength(g: GrammarBuilder, low: string, high: string): Grammar {
  const digits = (first: number, last: number) => g.bytes([0x30 + first, 0x30 + last]);
  if (/^0*$/.test(low) && /^9*$/.test(high)) return g.repeat(digits(0, 9), low.length, low.length);
  const [a, b] = [Number(low[0]), Number(high[0])];
  const rest = low.length - 1;
  if (a === b) return g.sequence(digits(a, a), sameLength(g, low.slice(1), high.slice(1)));
  const options = [g.sequence(digits(a, a), sameLength(g, low.slice(1), "9".repeat(rest)))];
  if (b - a > 1) options.push(g.sequence(digits(a + 1, b - 1), g.repeat(digits(0, 9), rest, rest)));
  options.push(g.sequence(digits(b, b), sameLength(g, "0".repeat(rest), high.slice(1))));
  return g.choice(...options);
}
