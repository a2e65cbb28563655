import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { createAutomaton } from "./automaton.ts";
import type { Automaton, State } from "./automaton.ts";
import { createGrammarBuilder } from "./grammar.ts";
import { compileJsonSchema } from "./jsonSchema.ts";

function automatonOf(schema: unknown): Automaton {
  const builder = createGrammarBuilder();
  return createAutomaton(compileJsonSchema(JSON.stringify(schema), builder), builder);
}

function accepts(schema: unknown, text: string): boolean {
  const automaton = automatonOf(schema);
  let state: State | undefined = automaton.start;
  for (const byte of Buffer.from(text)) state = state && automaton.step(state, byte);
  return state?.accepting ?? false;
}

const point = {
  type: "object",
  properties: { x: { type: "integer" }, y: { type: "integer" } },
  required: ["x", "y"],
};
const tree = {
  $defs: {
    node: {
      type: "object",
      properties: { kids: { type: "array", items: { $ref: "#/$defs/node" } } },
      required: ["kids"],
    },
  },
  $ref: "#/$defs/node",
};
const mixed = {
  type: "object",
  properties: { a: { type: "boolean" }, b: { type: "null" }, c: { type: "string" } },
  required: ["b"],
};

describe("accepts and refuses", () => {
  test.each<[schema: unknown, yes: string[], no: string[]]>([
    [
      true,
      ["1", '"a"', "[]", "{}", "null", '{"a": [1,{"b":true}]}'],
      ["", "[", "1,2", "tru", "{a:1}", "[1,]", " 1"],
    ],
    [
      { type: "string" },
      ['""', '"é漢😀"', '"\\n\\u00e9\\""'],
      ['"', "'a'", '"\n"', '"\\x"', '"\\ud800"', "a"],
    ],
    [
      { type: "string", minLength: 2, maxLength: 3 },
      ['"ab"', '"漢字😀"', '"\\n\\u0041"'],
      ['"a"', '"abcd"', '""'],
    ],
    [
      { type: "integer" },
      ["0", "-7", "123456789012345"],
      ["01", "1.0", "1e3", "-", "+1", "1234567890123456"],
    ],
    [{ type: "number" }, ["0.5", "-1e-3", "12E+10", "7"], [".5", "1.", "1e", "00", "NaN", "1e100"]],
    [{ type: "integer", minimum: 1, exclusiveMaximum: 10 }, ["1", "9"], ["0", "10", "-1"]],
    [{ type: "boolean" }, ["true", "false"], ["True", "null"]],
    [{ type: ["integer", "null"] }, ["3", "null"], ["true"]],
    [{ enum: ["a", 1, null, { b: [2] }] }, ['"a"', "1", "null", '{"b": [2]}'], ['"b"', "2", "{}"]],
    [{ type: "string", enum: ["a", 1] }, ['"a"'], ["1"]],
    [{ const: "x" }, ['"x"'], ['"y"']],
    [
      { type: "array", items: { type: "integer" } },
      ["[]", "[1]", "[1,2, 3]"],
      ["[1,]", "[a]", "[1 ,2]"],
    ],
    [
      { type: "array", items: { const: 1 }, minItems: 2, maxItems: 3 },
      ["[1,1]", "[1,1,1]"],
      ["[]", "[1]", "[1,1,1,1]"],
    ],
    [{ type: "array", maxItems: 0 }, ["[]"], ["[1]"]],
    [
      point,
      ['{"x":1,"y":2}', '{"x": 1, "y": 2}'],
      ['{"y":2,"x":1}', '{"x":1}', '{"x":1,"y":2,"z":3}', "{}"],
    ],
    [
      mixed,
      ['{"b":null}', '{"a":true,"b":null}', '{"b":null,"c":""}', '{"a":false,"b":null,"c":"x"}'],
      ["{}", '{"a":true}', '{,"b":null}', '{"b":null,}'],
    ],
    [{ properties: { a: { const: 1 } } }, ["{}", '{"a":1}'], ['{"a":2}', "1"]],
    [
      { type: "object", additionalProperties: { type: "integer" }, maxProperties: 2 },
      ["{}", '{"a":1,"b":2}'],
      ['{"a":"x"}', '{"a":1,"b":2,"c":3}'],
    ],
    [{ type: "object", additionalProperties: false }, ["{}"], ['{"a":1}']],
    [{ anyOf: [point, { type: "null" }] }, ["null", '{"x":1,"y":2}'], ["{}"]],
    [{ allOf: [{ type: "null" }] }, ["null"], ["1"]],
    [
      tree,
      ['{"kids":[]}', '{"kids":[{"kids":[]},{"kids":[{"kids":[]}]}]}'],
      ['{"kids":[1]}', "{}"],
    ],
    [{ type: "integer", minLength: 3, title: "n", default: 7 }, ["5"], ['"abc"']],
    [
      { properties: { "a/b": { $ref: "#/properties/c~0d" }, "c~d": { const: 1 } } },
      ['{"a/b":1,"c~d":1}'],
      ['{"a/b":2}'],
    ],
  ])("%j", (schema, yes, no) => {
    expect(yes.filter((text) => !accepts(schema, text))).toEqual([]);
    expect(no.filter((text) => accepts(schema, text))).toEqual([]);
  });
});

test.each<[schema: unknown, message: RegExp]>([
  [{ type: "string", pattern: "a+" }, /^jsonSchema#\/pattern: this keyword is not supported/],
  [{ type: "string", format: "date" }, /#\/format: this keyword is not supported/],
  [{ type: "object", properties: { a: { not: {} } } }, /#\/properties\/a\/not: this keyword/],
  [{ oneOf: [{}] }, /#\/oneOf/],
  [{ type: "array", uniqueItems: true }, /#\/uniqueItems/],
  [{ type: "array", prefixItems: [] }, /#\/prefixItems/],
  [{ $ref: "#/a", type: "string" }, /#\/type/],
  [{ anyOf: [{}], type: "object" }, /#\/type/],
  [{ allOf: [{}, {}] }, /#\/allOf: want one schema/],
  [{ type: "text" }, /#\/type: want one of object, array/],
  [{ type: [] }, /#\/type: want one of/],
  [{ type: "string", minLength: -1 }, /#\/minLength: want a whole number/],
  [
    { type: "string", minLength: 3, maxLength: 2 },
    /#\/minLength: want at most maxLength \(2\), got 3/,
  ],
  [{ type: "integer", minimum: 5, maximum: 4 }, /want minimum at most maximum, got 5 and 4/],
  [{ type: "object", required: ["a"] }, /#\/required: want names of properties, got "a"/],
  [{ properties: { a: {} }, minProperties: 1 }, /#\/minProperties/],
  [{ enum: [] }, /#\/enum: want a list, not empty/],
  [{ type: "string", enum: [1] }, /want a value of type string/],
  [{ $ref: "#/$defs/a" }, /place in this schema, got "#\/\$defs\/a"/],
  [{ $ref: "https://example.com/schema" }, /#\/\$ref: want a place in this schema/],
  [{ $ref: "#" }, /no text fits it/],
  [false, /want a schema, got false/],
  ["string", /want a schema/],
])("%j is refused by name", (schema, message) => {
  expect(() => automatonOf(schema)).toThrow(
    expect.objectContaining({
      code: "parameter",
      subject: "jsonSchema",
      message: expect.stringMatching(message),
    }),
  );
});

test("text that is no JSON, or nested too deeply, is refused", () => {
  expect(() => compileJsonSchema('{"type":')).toThrow(/want JSON/);
  const deep = `${'{"items":'.repeat(200)}{}${"}".repeat(200)}`;
  expect(() => compileJsonSchema(deep)).toThrow(/at most 128 levels/);
  expect(() => compileJsonSchema(`{"enum": ${"[".repeat(30_000)}${"]".repeat(30_000)}}`)).toThrow(
    /at most 128 levels/,
  );
  expect(compileJsonSchema(JSON.stringify({ const: "[\\".repeat(15_000) }))).toBeDefined();
});

test("many readings of the same text are followed up to a bound", () => {
  const schema = {
    $defs: {
      a: {
        anyOf: [1, 2, 3, 4, 5, 6].map((maxItems) => ({
          type: "array",
          items: { $ref: "#/$defs/a" },
          maxItems,
        })),
      },
    },
    $ref: "#/$defs/a",
  };
  const automaton = automatonOf(schema);
  expect(() => {
    let state: State | undefined = automaton.start;
    for (let depth = 0; depth < 20; depth += 1) state = automaton.step(state!, 0x5b);
  }).toThrow(/too ambiguous/);
});

/** Schemas that both this and zod understand. */
const schemas = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.record({ type: fc.constantFrom("string", "integer", "number", "boolean", "null") }),
    fc.record({
      enum: fc.array(fc.oneof(fc.string(), fc.integer(), fc.boolean()), {
        minLength: 1,
        maxLength: 4,
      }),
    }),
    fc
      .tuple(fc.nat(4), fc.nat(4))
      .map(([minLength, more]) => ({ type: "string", minLength, maxLength: minLength + more })),
    fc
      .tuple(fc.integer(), fc.nat())
      .map(([minimum, more]) => ({ type: "integer", minimum, maximum: minimum + more })),
    fc.record({ type: fc.constant("array"), items: tie("any"), maxItems: fc.nat(3) }),
    fc.record({ anyOf: fc.array(tie("any"), { minLength: 1, maxLength: 3 }) }),
    fc
      .tuple(
        fc.dictionary(fc.stringMatching(/^[a-z"\\ é]{1,4}$/), tie("any"), { maxKeys: 4 }),
        fc.boolean(),
      )
      .map(([properties, all]) => ({
        type: "object",
        properties,
        required: all ? Object.keys(properties) : Object.keys(properties).slice(0, 1),
        additionalProperties: false,
      })),
  ),
})).any;

test("whatever is written under a schema is valid under it", () => {
  fc.assert(
    fc.property(schemas, fc.infiniteStream(fc.nat()), (schema, choices) => {
      const automaton = automatonOf(schema);
      const written: number[] = [];
      let state = automaton.start;
      while (!state.final && written.length < 300) {
        const fitting = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) =>
          automaton.step(state, byte),
        );
        expect(fitting.length).toBeGreaterThan(0);
        const choice = choices.next().value!;
        if (state.accepting && choice % 3 === 0) break;
        // Strings come to an end sooner.
        const quote = fitting.includes(0x22) && choice % 2 === 0;
        const byte = quote ? 0x22 : fitting[choice % fitting.length]!;
        written.push(byte);
        state = automaton.step(state, byte)!;
      }
      fc.pre(state.accepting);
      const text = new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(written));
      const value: unknown = JSON.parse(text);
      expect(
        z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]).safeParse(value).error,
      ).toBeUndefined();
    }),
    { numRuns: 100, seed: 1 },
  );
});
