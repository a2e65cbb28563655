/**
 * Dimensions: sizes, or names of what is known only at run time (`batch`), and
 * sums of products of them (`past+sequence`, `2*batch*sequence`). Equal ones are
 * equal as JavaScript values: every sum is written in one order.
 */

import { TinyGptvError } from "@tinygptv/protocol";

/** Length of an axis: a number, or a name, or sums and products of names (`batch*(past+sequence)`). */
export type Dimension = number | string;
/** Lengths of all axes, outermost first. */
export type Shape = readonly Dimension[];

/** Far more than models have; products of longer sums would grow without bounds. */
const maxTerms = 64;

/** Product of names, in order and joined by `*` ("" for none), to how often it counts. */
type Terms = Map<string, number>;

/** The sum of two dimensions, in the one form that equal ones share. */
export function sum(a: Dimension, b: Dimension): Dimension {
  if (typeof a === "number" && typeof b === "number") return a + b;
  const terms = termsOf(a);
  for (const [names, count] of termsOf(b)) addTo(terms, names, count);
  return write(terms);
}

/** The product of two dimensions, in the one form that equal ones share. */
export function product(a: Dimension, b: Dimension): Dimension {
  if (typeof a === "number" && typeof b === "number") return a * b;
  const terms: Terms = new Map();
  for (const [ofA, countA] of termsOf(a))
    for (const [ofB, countB] of termsOf(b))
      addTo(terms, joined([...namesIn(ofA), ...namesIn(ofB)]), countA * countB);
  return write(terms);
}

/** a / b where it is a whole number whatever the names stand for; undefined where not. b is one product. */
export function quotient(a: Dimension, b: Dimension): Dimension | undefined {
  const [[divisor, divisorCount] = ["", 0], ...others] = [...termsOf(b)];
  if (divisorCount === 0 || others.length > 0) return undefined;
  const terms: Terms = new Map();
  for (const [names, count] of termsOf(a)) {
    const left = namesIn(names);
    for (const name of namesIn(divisor)) {
      const at = left.indexOf(name);
      if (at < 0) return undefined;
      left.splice(at, 1);
    }
    if (count % divisorCount !== 0) return undefined;
    addTo(terms, joined(left), count / divisorCount);
  }
  return write(terms);
}

/** Number of elements of a shape. */
export const elements = (shape: Shape): Dimension => shape.reduce(product, 1);

/** A shape whose names stand for these sizes. */
export function sized(shape: Shape, sizes: Readonly<Record<string, number>>): number[] {
  return shape.map((dimension) => {
    let total = 0;
    for (const [names, count] of termsOf(dimension))
      total += namesIn(names).reduce((all, name) => all * sizes[name]!, count);
    return total;
  });
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

/** `(batch,past+sequence,80)` */
export const describeShape = (shape: Shape): string => `(${shape.join(",")})`;

function termsOf(dimension: Dimension): Terms {
  const terms: Terms = new Map();
  for (const text of String(dimension).split("+")) {
    const factors = text.split("*");
    const count = factors.filter(isNumber).reduce((all, factor) => all * Number(factor), 1);
    addTo(terms, joined(factors.filter((factor) => !isNumber(factor))), count);
  }
  return terms;
}

function write(terms: Terms): Dimension {
  if (terms.size > maxTerms)
    throw new TinyGptvError(
      "layout",
      `dimension: want at most ${maxTerms} terms, got ${terms.size}`,
    );
  const written = [...terms]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([names, count]) =>
      [...(count === 1 && names ? [] : [count]), ...namesIn(names)].join("*"),
    );
  const text = written.join("+") || "0";
  return isNumber(text) ? Number(text) : text;
}

function addTo(terms: Terms, names: string, count: number): void {
  const all = (terms.get(names) ?? 0) + count;
  if (all === 0) terms.delete(names);
  else terms.set(names, all);
}

const isNumber = (text: string) => /^\d+$/.test(text);
const namesIn = (names: string) => (names === "" ? [] : names.split("*"));
const joined = (names: readonly string[]) => names.toSorted().join("*");
