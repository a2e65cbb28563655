import { compileJsonSchema, createAutomaton, createGrammarBuilder } from "@tinygptv/protocol";
import { expect, test } from "vitest";
import { jsonConstraint } from "./constrain.ts";
import type { TokenSource } from "./constrain.ts";
import { allowedTokens, createTokenTrie } from "./tokenTrie.ts";

/** All bytes, some longer tokens, two of the same bytes, one of none, and the end. */
const extra = ['{"', '":', " true", "true", "true}", '"}', '{"a":', "é", "12", "12", ""];
const tokens = [
  ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  ...extra.map((text) => new Uint8Array(Buffer.from(text))),
];
const source: TokenSource = {
  vocabularySize: tokens.length + 1,
  endOfTextId: tokens.length,
  specialIds: new Set([tokens.length]),
  tokenBytes: (id) => tokens[id] ?? new Uint8Array(Buffer.from("<|end|>")),
};
const begin = -1;
const encode = (text: string) => [...Buffer.from(text)];

/** Ids that are left over after an answer. */
function left(schema: unknown, answer: readonly number[]): number[] {
  const logits = new Float32Array(tokens.length + 5).fill(0.5);
  jsonConstraint(JSON.stringify(schema), source)(logits, [begin, ...answer]);
  return [...logits.entries()].flatMap(([id, logit]) => (logit === -Infinity ? [] : [id]));
}

const text = (id: number) => Buffer.from(source.tokenBytes(id)).toString();
const flag = { type: "object", properties: { a: { type: "boolean" } }, required: ["a"] };

test("leaves exactly the tokens that can go on, whole tokens only", () => {
  expect(left(flag, []).map(text)).toEqual(["{", '{"', '{"a":']);
  expect(left(flag, encode('{"a":')).map(text)).toEqual([" ", "f", "t", " true", "true", "true}"]);
  expect(left(flag, encode('{"a": ')).map(text)).toEqual(["f", "t", "true", "true}"]);
});

test("the end is allowed where the text may end, and alone where it must", () => {
  expect(left(flag, encode('{"a":true}'))).toEqual([source.endOfTextId]);
  const ids = left({ type: "integer" }, encode("1"));
  expect(ids).toContain(source.endOfTextId);
  expect(ids.map(text)).toContain("7");
});

test("tokens of the same bytes are equals", () => {
  const ids = left({ type: "integer" }, []);
  expect(ids.filter((id) => text(id) === "12")).toHaveLength(2);
});

test("keeps the scores it leaves, and remembers lists within bounds", () => {
  const constrain = jsonConstraint(JSON.stringify({ type: "string", maxLength: 200 }), source);
  const history = [begin, ...encode('"')];
  for (let step = 0; step < 150; step += 1) {
    const logits = Float32Array.from({ length: tokens.length + 1 }, (_, id) => id);
    constrain(logits, history);
    expect(logits[0x61]).toBe(0x61);
    expect(logits[0x0a]).toBe(-Infinity);
    history.push(0x61);
  }
});

test("a beginning that does not fit is refused", () => {
  expect(() => left(flag, encode("no"))).toThrow(
    expect.objectContaining({ code: "parameter", subject: "answerPrefix" }),
  );
});

/** Strings of many lengths, any of which it may be: `count` readings of every character. */
const overlapping = (count: number) => ({
  anyOf: Array.from({ length: count }, (_, i) => ({
    type: "string",
    minLength: i,
    maxLength: 200 + i,
  })),
});

test.each([
  ["strings of many lengths", overlapping(12), '"abcdefghijklmnop'],
  ["short strings", { type: "string", minLength: 3, maxLength: 5 }, '"é12e"'],
  ["lists", { type: "array", items: { type: "integer" }, minItems: 2, maxItems: 9 }, "[1,12, 3,4]"],
  [
    "objects",
    { type: "object", properties: { a: overlapping(3), b: { type: "null" } } },
    '{"a":"x',
  ],
])("what no token can tell apart changes no list: %s", (_, schema, answer) => {
  const builder = createGrammarBuilder();
  const automaton = createAutomaton(compileJsonSchema(JSON.stringify(schema), builder), builder);
  const trie = createTokenTrie(tokens.map((bytes, id) => [id, bytes] as const));
  let state = automaton.start;
  for (const byte of encode(answer)) {
    state = automaton.step(state, byte)!;
    const alike = automaton.within(state, trie.longest);
    expect(allowedTokens(trie, automaton, alike)).toEqual(allowedTokens(trie, automaton, state));
  }
});

test("a schema of many overlapping strings takes little more than one string", () => {
  const builder = createGrammarBuilder();
  const schema = JSON.stringify(overlapping(80));
  const automaton = createAutomaton(compileJsonSchema(schema, builder), builder);
  const trie = createTokenTrie(tokens.map((bytes, id) => [id, bytes] as const));
  let state = automaton.step(automaton.start, 0x22)!;
  for (let i = 0; i < 100; i++) {
    state = automaton.step(state, 0x61)!;
    allowedTokens(trie, automaton, automaton.within(state, trie.longest));
  }
  expect(automaton.work).toBeLessThan(300_000);
});
