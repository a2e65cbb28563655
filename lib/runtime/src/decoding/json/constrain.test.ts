import { expect, test } from "vitest";
import { jsonConstraint } from "./constrain.ts";
import type { TokenSource } from "./constrain.ts";

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
