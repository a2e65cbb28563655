/**
 * Runs a grammar byte by byte: a pushdown automaton that follows all readings
 * at once. A reading is what is still to come, as a list of grammars that
 * starts with a byte set. Lists share their tails, and readings and states that
 * are equal are one object, so every transition is computed once.
 */
import { TinyGptvError } from "../errors.ts";
import type { Grammar, GrammarBuilder } from "./grammar.ts";

/** What is still to come: `head`, then `rest`. */
interface Reading {
  readonly id: number;
  readonly head: Grammar;
  readonly rest: Reading | undefined;
}

/** How far into a text one is; the same object where nothing differs. */
export interface State {
  /** Whether the text may end here. */
  readonly accepting: boolean;
  /** Whether it must: no byte can follow. */
  readonly final: boolean;
}

/** Reads a text byte by byte, and knows what can still follow. */
export interface Automaton {
  readonly start: State;
  /** The state after one more byte; undefined where it does not fit. */
  step(state: State, byte: number): State | undefined;
  /**
   * A state that the next `length` bytes cannot tell from this one: counts they
   * cannot use up do not matter. Inside a long text it is nearly always the same.
   */
  within(state: State, length: number): State;
  /** States met so far: all of them are remembered. */
  readonly size: number;
  /** Readings followed so far: what the time it takes goes with. */
  readonly work: number;
}

interface InnerState extends State {
  readonly readings: readonly Reading[];
  readonly next: Map<number, InnerState | undefined>;
}

/** Readings at the same time; beyond it a schema is too ambiguous to follow. */
const maxReadings = 10_000;

/** Of readings that differ only in how often a repeat without end must still come, the one that asks for least: it allows all the others do. */
function widest(readings: readonly Reading[]): Reading[] {
  const least = new Map<string, { reading: Reading; min: number }>();
  for (const reading of readings) {
    const next = reading.rest;
    const repeat =
      next?.head.kind === "repeat" && next.head.max === Infinity ? next.head : undefined;
    const key = repeat
      ? `${reading.head.id} ${repeat.body.id} ${next?.rest?.id ?? "-"}`
      : `only ${reading.id}`;
    const min = repeat?.min ?? 0;
    const known = least.get(key);
    if (!known || min < known.min) least.set(key, { reading, min });
  }
  return [...least.values()].map(({ reading }) => reading);
}

/** @throws TinyGptvError "parameter" where nothing fits the grammar, or too many readings of it do. */
export function createAutomaton(grammar: Grammar, builder: GrammarBuilder): Automaton {
  const readings = new Map<string, Reading>();
  const states = new Map<string, InnerState>();
  let work = 0;

  function prepend(head: Grammar, rest: Reading | undefined): Reading {
    const key = `${head.id} ${rest?.id ?? "-"}`;
    const known = readings.get(key);
    if (known) return known;
    const reading = { id: readings.size, head, rest };
    readings.set(key, reading);
    return reading;
  }

  /** Follows everything that takes no byte, until each reading starts with a byte set. */
  function stateOf(begin: readonly (Reading | undefined)[]): InnerState | undefined {
    const seen = new Set<Reading>();
    const waiting: Reading[] = [];
    const found: Reading[] = [];
    let accepting = false;
    const add = (reading: Reading | undefined) => {
      if (reading === undefined) accepting = true;
      else if (!seen.has(reading)) {
        seen.add(reading);
        waiting.push(reading);
      }
    };
    begin.forEach(add);
    for (let reading = waiting.pop(); reading; reading = waiting.pop()) {
      if (seen.size > maxReadings) {
        throw new TinyGptvError(
          "parameter",
          `jsonSchema: too ambiguous, over ${maxReadings} readings at once`,
          {
            subject: "jsonSchema",
          },
        );
      }
      const { head, rest } = reading;
      switch (head.kind) {
        case "byte":
          found.push(reading);
          break;
        case "empty":
          add(rest);
          break;
        case "sequence":
          add(
            head.parts.reduceRight<Reading | undefined>((tail, part) => prepend(part, tail), rest),
          );
          break;
        case "choice":
          for (const option of head.options) add(prepend(option, rest));
          break;
        case "repeat": {
          const { body, min, max } = head;
          if (min === 0) add(rest);
          const more = builder.repeat(body, Math.max(0, min - 1), max - 1);
          add(prepend(body, more.kind === "empty" ? rest : prepend(more, rest)));
          break;
        }
        case "reference":
          add(prepend(head.resolve(), rest));
      }
    }
    work += seen.size;
    if (found.length === 0 && !accepting) return undefined;
    return stateWith(found, accepting);
  }

  function stateWith(found: readonly Reading[], accepting: boolean): InnerState {
    const key = `${accepting} ${found
      .map(({ id }) => id)
      .toSorted((a, b) => a - b)
      .join(",")}`;
    const known = states.get(key);
    if (known) return known;
    const state = { readings: found, accepting, final: found.length === 0, next: new Map() };
    states.set(key, state);
    return state;
  }

  /** With counts beyond `length` taken for without end. */
  function clamp({ head, rest }: Reading, length: number): Reading {
    const tail = rest && clamp(rest, length);
    if (head.kind !== "repeat") return prepend(head, tail);
    const { body, min, max } = head;
    return prepend(
      builder.repeat(body, Math.min(min, length + 1), max > length ? Infinity : max),
      tail,
    );
  }

  function within(state: InnerState, length: number): InnerState {
    const clamped = new Set(state.readings.map((reading) => clamp(reading, length)));
    return stateWith(widest([...clamped]), state.accepting);
  }

  function step(state: InnerState, byte: number): InnerState | undefined {
    if (state.next.has(byte)) return state.next.get(byte);
    const fitting = state.readings.filter(({ head }) => head.kind === "byte" && head.has[byte]);
    const next = fitting.length === 0 ? undefined : stateOf(fitting.map(({ rest }) => rest));
    state.next.set(byte, next);
    return next;
  }

  const start = stateOf([prepend(grammar, undefined)]);
  if (!start) {
    throw new TinyGptvError("parameter", "jsonSchema: no text fits it", { subject: "jsonSchema" });
  }
  // States only ever come from here.
  return {
    start,
    step: (state, byte) => step(state as InnerState, byte),
    within: (state, length) => within(state as InnerState, length),
    get size() {
      return states.size;
    },
    get work() {
      return work;
    },
  };
}
