import fc from "fast-check";
import { expect, test } from "vitest";
import { createAutomaton } from "./automaton.ts";
import type { State } from "./automaton.ts";
import { createGrammarBuilder } from "./grammar.ts";
import { compileJsonSchema } from "./jsonSchema.ts";

interface Limits {
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
}

function within(limits: Limits): (text: string) => boolean {
  const builder = createGrammarBuilder();
  const schema = JSON.stringify({ type: "number", ...limits });
  const automaton = createAutomaton(compileJsonSchema(schema, builder), builder);
  return (text) => {
    let state: State | undefined = automaton.start;
    for (const byte of Buffer.from(text)) state = state && automaton.step(state, byte);
    return state?.accepting ?? false;
  };
}

const isValid = (value: number, limits: Limits): boolean =>
  value >= (limits.minimum ?? -Infinity) &&
  value <= (limits.maximum ?? Infinity) &&
  value > (limits.exclusiveMinimum ?? -Infinity) &&
  value < (limits.exclusiveMaximum ?? Infinity);

test.each<[Limits]>([
  [{ minimum: 0, maximum: 1 }],
  [{ exclusiveMinimum: 0, exclusiveMaximum: 1 }],
  [{ minimum: 0 }],
  [{ exclusiveMinimum: 0 }],
  [{ maximum: -0.25 }],
  [{ minimum: -1.5, exclusiveMaximum: 2.25 }],
  [{ minimum: 0.1, maximum: 0.3 }],
  [{ minimum: 0.123, maximum: 0.124 }],
  [{ minimum: 9.99, maximum: 100.01 }],
  [{ minimum: 2, maximum: 2 }],
  [{ exclusiveMinimum: -3, maximum: 12 }],
  [{ minimum: 1e-7, maximum: 2e-7 }],
])("every short decimal under %j, no other", (limits) => {
  const fits = within(limits);
  const wholes = Array.from({ length: 120 }, (_, i) => String(i));
  const fractions = [
    "",
    ".0",
    ".1",
    ".25",
    ".123",
    ".1234",
    ".2500",
    ".3",
    ".9",
    ".99",
    ".00000015",
  ];
  for (const sign of ["", "-"])
    for (const whole of wholes)
      for (const fraction of fractions) {
        const text = sign + whole + fraction;
        expect([text, fits(text)]).toEqual([text, isValid(Number(text), limits)]);
      }
  for (const text of ["", "-", ".5", "1.", "00", "01", "+1", "1e0"])
    expect([text, fits(text)]).toEqual([text, false]);
});

test("what is written under any limits is valid under them", () => {
  const limit = fc.oneof(
    fc.double({ min: -1000, max: 1000, noNaN: true }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer({ min: -20, max: 20 }),
  );
  const anyLimits = fc.record(
    { minimum: limit, maximum: limit, exclusiveMinimum: limit, exclusiveMaximum: limit },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(anyLimits, fc.infiniteStream(fc.nat()), (limits, choices) => {
      const builder = createGrammarBuilder();
      const schema = JSON.stringify({ type: "number", ...limits });
      let grammar;
      try {
        grammar = compileJsonSchema(schema, builder);
      } catch (error) {
        if (!String(error).includes("want numbers between")) throw error;
        return;
      }
      const automaton = createAutomaton(grammar, builder);
      let state: State = automaton.start;
      let text = "";
      for (const choice of choices) {
        const next = [..."-.0123456789eE+"].flatMap((sign) => {
          const after = automaton.step(state, sign.charCodeAt(0));
          return after ? [{ sign, after }] : [];
        });
        if (next.length === 0 || (state.accepting && choice % 4 === 0)) break;
        const taken = next[choice % next.length]!;
        [state, text] = [taken.after, text + taken.sign];
      }
      expect(state.accepting).toBe(true);
      expect([text, isValid(Number(text), limits)]).toEqual([text, true]);
    }),
    { numRuns: 200 },
  );
});

test.each<[Limits]>([[{ minimum: 2, maximum: 1 }], [{ minimum: 1, exclusiveMaximum: 1 }]])(
  "nothing fits %j",
  (limits) => {
    expect(() => within(limits)).toThrow("jsonSchema#: want numbers between");
  },
);
