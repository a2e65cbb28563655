import { expect, test } from "vitest";
import { createAutomaton } from "./automaton.ts";
import type { State } from "./automaton.ts";
import { createGrammarBuilder } from "./grammar.ts";
import { integerRange } from "./integerRange.ts";

function within(min: number, max: number): (text: string) => boolean {
  const builder = createGrammarBuilder();
  const automaton = createAutomaton(integerRange(builder, min, max), builder);
  return (text) => {
    let state: State | undefined = automaton.start;
    for (const byte of Buffer.from(text)) state = state && automaton.step(state, byte);
    return state?.accepting ?? false;
  };
}

test.each([
  [0, 0],
  [0, 9],
  [7, 7],
  [5, 123],
  [99, 100],
  [-3, 3],
  [-120, -7],
  [-1, 0],
  [-250, 250],
  [10, 1000],
])("every integer from %i to %i, no other", (min, max) => {
  const fits = within(min, max);
  for (let n = -1100; n <= 1100; n += 1)
    expect([n, fits(String(n))]).toEqual([n, n >= min && n <= max]);
  for (const text of ["", "-", "-0", "00", "01", "+1", "1.0"])
    expect([text, fits(text)]).toEqual([text, false]);
});

test("safe integers to the last", () => {
  const { MAX_SAFE_INTEGER: max, MIN_SAFE_INTEGER: min } = Number;
  const fits = within(min, max);
  expect([
    fits(String(max)),
    fits(String(min)),
    fits("9007199254740992"),
    fits("-9007199254740992"),
  ]).toEqual([true, true, false, false]);
});
