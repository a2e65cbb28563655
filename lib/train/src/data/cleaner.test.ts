import { expect, test } from "vitest";
import { clean, inOneLine } from "./cleaner.ts";

test.each([
  ["A Photo of (a) cat!", "a photo of a cat"],
  ["  two   spaces\n", "two spaces"],
  ['What is "this"; a #1: *star*~', "what is this a 1 star"],
  ["what's that? it's 3,5 - yes/no", "what's that? it's 3,5 - yes/no"],
  ["one\ttab stays, \t\n two are a space", "one\ttab stays, two are a space"],
  ["no\u00a0\u2003break", "no break"],
  ["end\n ", "end"],
  ["", ""],
])("cleans %j", (text, cleaned) => {
  expect(clean(text)).toBe(cleaned);
});

test("at most 50 words", () => {
  const words = Array.from({ length: 60 }, (_, i) => `w${i}`);
  expect(clean(words.join(" "))).toBe(words.slice(0, 50).join(" "));
});

test("a question in one line, without LLaVA's mark", () => {
  expect(inOneLine(" What is\nit?\n<image>\n")).toBe("What isit?");
});
