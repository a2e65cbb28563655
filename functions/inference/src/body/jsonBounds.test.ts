import { expect, test } from "vitest";
import { createJsonBounds } from "./jsonBounds.ts";

const limits = { jsonDepth: 5, jsonValues: 20 };

/** Gives the text in pieces of so many bytes. */
function scan(text: string, pieces = Infinity): void {
  const bytes = Buffer.from(text);
  const watch = createJsonBounds(limits);
  for (let at = 0; at < bytes.length; at += pieces) watch(bytes.subarray(at, at + pieces));
}

const list = (length: number) => JSON.stringify(Array(length).fill(1));
const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

test.each([
  ["a list", list(19)],
  ["nesting", nested(5)],
  ["a text of brackets, commas and quotes", JSON.stringify('[[[[[[{"a":1},'.repeat(50))],
  ["a text that ends in a backslash", JSON.stringify(["\\", "\\\\", '\\"'])],
  ["a long text", JSON.stringify({ url: "x".repeat(100_000) })],
  ["a long name's worth of spaces", `{"a"${" ".repeat(5000)}: 1}`],
  ["a number of 128 characters", `[1.${"0".repeat(126)}]`],
])("%s is let through, in whatever pieces it comes", (_, text) => {
  for (const pieces of [1, 2, 7, Infinity]) expect(() => scan(text, pieces)).not.toThrow();
});

test.each([
  ["too many items", list(30), /at most 20 values/],
  [
    "too many members",
    JSON.stringify(Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`k${i}`, i]))),
    /20 values/,
  ],
  ["too many lists in lists", `[${"[],".repeat(30)}[]]`, /20 values/],
  ["too much depth", nested(6), /at most 5 deep/],
  ["too much depth in the middle", `{"a":"\\"[","b":${nested(5)}}`, /at most 5 deep/],
  ["a name without end", JSON.stringify({ ["n".repeat(1100)]: 1 }), /names of at most 1024 bytes/],
  ["a number without end", `[${"1".repeat(129)}]`, /numbers of at most 128/],
])("%s: refused", (_, text, message) => {
  for (const pieces of [1, 3, Infinity])
    expect(() => scan(text, pieces)).toThrow(
      expect.objectContaining({ code: "invalid_json", message: expect.stringMatching(message) }),
    );
});

test("what is not JSON is the parser's to say", () => {
  for (const text of ["", "}", "]]]]", '"', "{,}", '{"a" "b"}', "nul"])
    expect(() => scan(text)).not.toThrow();
});
