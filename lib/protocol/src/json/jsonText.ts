/**
 * JSON (RFC 8259) as a grammar, in one style: a space may follow a comma or a
 * colon, and there is no other white space, which a model could go on writing
 * for ever.
 */
import type { Grammar, GrammarBuilder } from "./grammar.ts";

export interface JsonText {
  /** A string of so many code points. */
  string(minLength?: number, maxLength?: number): Grammar;
  readonly integer: Grammar;
  readonly number: Grammar;
  /** A value that is given. */
  literal(value: unknown): Grammar;
  /** Items between brackets, separated by commas. */
  array(item: Grammar, min: number, max: number): Grammar;
  /** Members of any name between braces. */
  map(value: Grammar, min: number, max: number): Grammar;
  readonly comma: Grammar;
  readonly colon: Grammar;
  /** Any value at all. */
  readonly any: Grammar;
  readonly anyObject: Grammar;
}

export function jsonText(g: GrammarBuilder): JsonText {
  const space = g.optional(g.text(" "));
  const comma = g.sequence(g.text(","), space);
  const colon = g.sequence(g.text(":"), space);
  const digit = g.bytes([0x30, 0x39]);
  const digits = (min: number, max: number) => g.repeat(digit, min, max);

  /** One code point, as itself or escaped. Never half of a surrogate pair: that is no text. */
  const tail = g.bytes([0x80, 0xbf]);
  const hex = g.bytes([0x30, 0x39], [0x41, 0x46], [0x61, 0x66]);
  const character = g.choice(
    // all but control characters, quote and backslash
    g.bytes([0x20, 0x21], [0x23, 0x5b], [0x5d, 0x7f]),
    // well-formed UTF-8 sequences (Unicode, table 3-7)
    g.sequence(g.bytes([0xc2, 0xdf]), tail),
    g.sequence(g.bytes([0xe0, 0xe0]), g.bytes([0xa0, 0xbf]), tail),
    g.sequence(g.bytes([0xe1, 0xec], [0xee, 0xef]), tail, tail),
    g.sequence(g.bytes([0xed, 0xed]), g.bytes([0x80, 0x9f]), tail),
    g.sequence(g.bytes([0xf0, 0xf0]), g.bytes([0x90, 0xbf]), tail, tail),
    g.sequence(g.bytes([0xf1, 0xf3]), tail, tail, tail),
    g.sequence(g.bytes([0xf4, 0xf4]), g.bytes([0x80, 0x8f]), tail, tail),
    g.sequence(g.text("\\"), g.choice(...[...'"\\/bfnrt'].map((escape) => g.text(escape)))),
    g.sequence(
      g.text("\\u"),
      g.bytes([0x30, 0x39], [0x41, 0x43], [0x61, 0x63], [0x45, 0x46], [0x65, 0x66]),
      hex,
      hex,
      hex,
    ),
    g.sequence(g.text("\\u"), g.bytes([0x44, 0x44], [0x64, 0x64]), g.bytes([0x30, 0x37]), hex, hex),
  );
  const string = (min = 0, max = Infinity) =>
    g.sequence(g.text('"'), g.repeat(character, min, max), g.text('"'));

  // 15 digits are exact in a double, and an end to 0.3333333333…
  const sign = g.optional(g.text("-"));
  const whole = g.choice(g.text("0"), g.sequence(g.bytes([0x31, 0x39]), digits(0, 14)));
  const integer = g.sequence(sign, whole);
  const fraction = g.optional(g.sequence(g.text("."), digits(1, 15)));
  const exponent = g.optional(
    g.sequence(
      g.choice(g.text("e"), g.text("E")),
      g.optional(g.choice(g.text("+"), g.text("-"))),
      digits(1, 2),
    ),
  );
  const number = g.sequence(sign, whole, fraction, exponent);

  const separated = (item: Grammar, min: number, max: number) => {
    if (max === 0) return g.empty;
    const items = g.sequence(
      item,
      g.repeat(g.sequence(comma, item), Math.max(0, min - 1), max - 1),
    );
    return min === 0 ? g.optional(items) : items;
  };
  const array = (item: Grammar, min: number, max: number) =>
    g.sequence(g.text("["), separated(item, min, max), g.text("]"));
  const map = (value: Grammar, min: number, max: number) =>
    g.sequence(g.text("{"), separated(g.sequence(string(), colon, value), min, max), g.text("}"));

  const any: Grammar = g.reference(() => anyValue);
  const anyObject = map(any, 0, Infinity);
  const words = ["true", "false", "null"].map((word) => g.text(word));
  const anyValue = g.choice(anyObject, array(any, 0, Infinity), string(), number, ...words);

  const literal = (value: unknown): Grammar => {
    if (Array.isArray(value))
      return g.sequence(g.text("["), ...join(value.map(literal)), g.text("]"));
    if (typeof value === "object" && value !== null) {
      const members = Object.entries(value).map(([name, member]) =>
        g.sequence(g.text(JSON.stringify(name)), colon, literal(member)),
      );
      return g.sequence(g.text("{"), ...join(members), g.text("}"));
    }
    return g.text(JSON.stringify(value));
  };
  const join = (parts: readonly Grammar[]) =>
    parts.flatMap((part, i) => (i === 0 ? [part] : [comma, part]));

  return { string, integer, number, literal, array, map, comma, colon, any, anyObject };
}
