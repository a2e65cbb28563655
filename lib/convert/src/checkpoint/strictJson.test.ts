import { expect, test } from "vitest";
import { TinyGptvError } from "@tinygptv/protocol";
import { parseStrictJson, requireObject } from "./strictJson.ts";

const parse = (text: string) => parseStrictJson("a.json", "header", Buffer.from(text));

test("parses what JSON.parse does", () => {
  const text = '{"a": [1, {"b": "x:{\\"}"}], "c": {"b": null}, "": true, "a:": "a"}  ';
  expect(parse(text)).toEqual(JSON.parse(text));
});

test.each([
  ['{"a": 1, "a": 2}', 'key "a" occurs twice'],
  ['{"x": {"a": 1, "b": 2, "\\u0061": 3}}', 'key "a" occurs twice'],
  ["{", "want JSON"],
  ['{"a', "want JSON"],
  ["", "want JSON"],
  ["[".repeat(100_000), "levels of nesting"],
  ['{"a":'.repeat(20), "levels of nesting"],
])("refuses %#: %s", (text, problem) => {
  expect(() => parse(text)).toThrow(TinyGptvError);
  expect(() => parse(text)).toThrow(problem);
});

test("refuses bytes that are not UTF-8", () => {
  expect(() => parseStrictJson("a.json", "header", Uint8Array.of(0x22, 0xff, 0x22))).toThrow(
    "want UTF-8",
  );
});

test("keeps names apart from those that objects inherit", () => {
  const value = requireObject("a.json", "header", parse('{"__proto__": 1, "constructor": 2}'));
  expect(Object.entries(value)).toEqual([
    ["__proto__", 1],
    ["constructor", 2],
  ]);
});

test.each(["[]", "null", "1", '"a"'])("requireObject refuses %s", (text) => {
  expect(() => requireObject("a.json", "header", parse(text))).toThrow(
    "a.json: header: want an object",
  );
});
