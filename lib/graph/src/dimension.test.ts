import * as fc from "fast-check";
import { expect, it } from "vitest";
import { product, quotient, sum, type Dimension } from "./dimension.ts";

/** What a dimension is where a, b and c are these. */
const values: Record<string, number> = { a: 3, b: 5, c: 7 };
const evaluate = (dimension: Dimension) =>
  String(dimension)
    .split("+")
    .map((term) => term.split("*").reduce((all, name) => all * (values[name] ?? Number(name)), 1))
    .reduce((total, term) => total + term, 0);

const atoms = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom("a", "b", "c"));
const dimensions: fc.Arbitrary<Dimension> = fc
  .array(fc.array(atoms, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 })
  .map((terms) => terms.map((factors) => factors.reduce<Dimension>(product, 1)).reduce(sum));

it("computes with names as with numbers, and writes equal ones alike", () => {
  fc.assert(
    fc.property(dimensions, dimensions, dimensions, (a, b, c) => {
      expect(evaluate(sum(a, b))).toBe(evaluate(a) + evaluate(b));
      expect(evaluate(product(a, b))).toBe(evaluate(a) * evaluate(b));
      expect(sum(a, b)).toBe(sum(b, a));
      expect(product(a, b)).toBe(product(b, a));
      expect(product(a, sum(b, c))).toBe(sum(product(a, b), product(a, c)));
      expect(product(a, 0)).toBe(0);
    }),
  );
});

it("does not grow without bounds", () => {
  const long = Array.from({ length: 20 }, (_, i) => `n${i}`).join("+");
  expect(() => product(long, long)).toThrow("dimension: want at most 64 terms, got 210");
});

it("divides by a product, and only without a rest", () => {
  fc.assert(
    fc.property(dimensions, fc.array(atoms, { maxLength: 3 }), (a, factors) => {
      const divisor = factors.reduce<Dimension>(product, 1);
      const found = quotient(product(a, divisor), divisor);
      expect(found).toBe(divisor === 0 ? undefined : a);
    }),
  );
  expect(quotient("a*b", "c")).toBeUndefined();
  expect(quotient("3*a", 2)).toBeUndefined();
  expect(quotient("a+b", "a+b")).toBeUndefined();
  expect(quotient("2*a*b+4*b", product("b", 2))).toBe("2+a");
});
