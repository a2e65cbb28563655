import type { Grammar, GrammarBuilder } from "./grammar.ts";
import { integerRange } from "./integerRange.ts";

export interface NumberLimits {
  min: number;
  max: number;
  /** Whether the limit itself is left out. */
  isMinExcluded: boolean;
  isMaxExcluded: boolean;
}

/** Digits that a double tells apart, and those before the point at most. */
const precision = 15;
const largest = 10 ** precision - 1;

/**
 * Numbers between two limits as JSON writes them, without exponent; undefined
 * where there is none. Beside a limit a number has at most 15 digits: decimals
 * of so many are as many doubles, so none of them is rounded onto the limit.
 */
export function numberRange(g: GrammarBuilder, limits: NumberLimits): Grammar | undefined {
  const { min, max, isMinExcluded, isMaxExcluded } = limits;
  const above = {
    min: Math.max(0, min),
    max,
    isMinExcluded: isMinExcluded && min >= 0,
    isMaxExcluded,
  };
  const below = {
    min: Math.max(0, -max),
    max: -min,
    isMinExcluded: isMaxExcluded && max <= 0,
    isMaxExcluded: isMinExcluded,
  };
  const negative = magnitudes(g, below);
  const options = [magnitudes(g, above), negative && g.sequence(g.text("-"), negative)].filter(
    (one) => one !== undefined,
  );
  return options.length === 0 ? undefined : g.choice(...options);
}

/** The same from 0 on: the whole parts at both ends, and those between with any fraction. */
function magnitudes(g: GrammarBuilder, { min, max, ...excluded }: NumberLimits) {
  if (min > max || min > largest) return undefined;
  const isOpen = max > largest;
  const [low, high] = [decimal(min), decimal(Math.min(max, largest))];
  const edge = (whole: number, from: string | undefined, to: string | undefined) => {
    const room = precision - String(whole).length;
    const rest = createFractions(g, excluded).after({ from, to }, room);
    return rest && g.sequence(g.text(String(whole)), rest);
  };
  if (low.whole === high.whole)
    return edge(low.whole, low.fraction, isOpen ? undefined : high.fraction);
  const between = { from: low.whole + 1, to: high.whole - 1 };
  const room =
    isOpen || !excluded.isMaxExcluded ? precision : precision - String(high.whole).length;
  const options = [
    edge(low.whole, low.fraction, undefined),
    between.from <= between.to
      ? g.sequence(
          integerRange(g, between.from, between.to),
          createFractions(g, excluded).after({ from: undefined, to: undefined }, room)!,
        )
      : undefined,
    edge(high.whole, undefined, isOpen ? undefined : high.fraction),
  ].filter((one) => one !== undefined);
  return options.length === 0 ? undefined : g.choice(...options);
}

/** Digits after the point, not below `from` and not above `to`; "" is nothing more than zeros, undefined no limit. */
interface FractionLimits {
  from: string | undefined;
  to: string | undefined;
}

function createFractions(
  g: GrammarBuilder,
  { isMinExcluded, isMaxExcluded }: Pick<NumberLimits, "isMinExcluded" | "isMaxExcluded">,
) {
  const canEnd = ({ from, to }: FractionLimits) =>
    (from === undefined || (from === "" && !isMinExcluded)) && (to !== "" || !isMaxExcluded);

  /** At least one digit, at most `room`. */
  function digits({ from, to }: FractionLimits, room: number): Grammar | undefined {
    if (room <= 0) return undefined;
    const first = from === undefined ? -1 : Number(from[0] ?? 0);
    const last = to === undefined ? 10 : Number(to[0] ?? 0);
    const options: Grammar[] = [];
    const add = (low: number, high: number, limits: FractionLimits) => {
      if (low > high) return;
      const more = digits(limits, room - 1);
      const rest = [...(canEnd(limits) ? [g.empty] : []), ...(more ? [more] : [])];
      if (rest.length > 0)
        options.push(g.sequence(g.bytes([0x30 + low, 0x30 + high]), g.choice(...rest)));
    };
    if (from === undefined && to === undefined) return g.repeat(g.bytes([0x30, 0x39]), 1, room);
    if (first === last) {
      add(first, first, { from: from?.slice(1), to: to?.slice(1) });
    } else {
      if (from !== undefined) add(first, first, { from: from.slice(1), to: undefined });
      add(first + 1, last - 1, { from: undefined, to: undefined });
      if (to !== undefined) add(last, last, { from: undefined, to: to.slice(1) });
    }
    return options.length === 0 ? undefined : g.choice(...options);
  }

  return {
    /** What may follow the whole part: nothing, or a point and digits. */
    after(limits: FractionLimits, room: number): Grammar | undefined {
      const some = digits(limits, room);
      const options = [
        ...(canEnd(limits) ? [g.empty] : []),
        ...(some ? [g.sequence(g.text("."), some)] : []),
      ];
      return options.length === 0 ? undefined : g.choice(...options);
    },
  };
}

/** A number from 0 as JavaScript writes it, never with an exponent: its whole part and the digits after the point. */
function decimal(value: number): { whole: number; fraction: string } {
  const [mantissa = "0", exponent = "0"] = String(value).split("e");
  const [whole = "0", fraction = ""] = mantissa.split(".");
  const zeros = Math.max(0, -Number(exponent) - 1);
  return exponent === "0"
    ? { whole: Number(whole), fraction }
    : { whole: 0, fraction: "0".repeat(zeros) + whole + fraction };
}
