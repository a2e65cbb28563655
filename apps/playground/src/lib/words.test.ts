import { emptyAnswer } from "@tinygptv/notebook";
import { expect, it } from "vitest";
import { count, cutShort, inSentence, partsFrom } from "./words.ts";

it("counts one thing as one", () => {
  expect([0, 1, 2].map((number) => count(number, "token"))).toEqual([
    "0 tokens",
    "1 token",
    "2 tokens",
  ]);
  expect(count(1, "different answer")).toBe("1 different answer");
});

it.each([
  [
    "pictures: want the name of a picture cell, got dog",
    "Pictures: expected the name of a picture cell, but found dog.",
  ],
  [
    "Temperature: want a number from 0.1 to 2, got 9",
    "Temperature: expected a number from 0.1 to 2, but found 9.",
  ],
  ["a.md: cell 2: want one of a, b, got c", "a.md: cell 2: expected one of a, b, but found c."],
  ["cut.zip: want a zip archive: bad", "cut.zip: expected a zip archive: bad."],
  ["The server does not answer.", "The server does not answer."],
  ["What do you want to do?", "What do you want to do?"],
])("says %j as a sentence", (message, wanted) => {
  expect(inSentence(message)).toBe(wanted);
});

it("says what cut an answer", () => {
  const request = { rounds: [{ prompt: "x", images: 0 }], decoding: { maxNewTokens: 8 } };
  const usage = { promptTokens: 1, imageTokens: 0, cachedTokens: 0 };
  const cut = (completionTokens: number, finishReason: "length" | "stop" = "length") =>
    cutShort({ ...emptyAnswer(request), finishReason, usage: { ...usage, completionTokens } });
  expect(cut(8)).toBe("cut at the longest answer, 8 tokens");
  expect(cut(7)).toBe("cut where the model’s context was full");
  expect(cut(8, "stop")).toBeUndefined();
});

it("says where an answer goes another way", () => {
  expect([undefined, 0, 1, 11].map((token) => partsFrom("fp32", token))).toEqual([
    "the same tokens as fp32",
    "differs from fp32 from the start",
    "the same as fp32 for 1 token, then different",
    "the same as fp32 for 11 tokens, then different",
  ]);
});
