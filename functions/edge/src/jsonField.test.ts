import { describe, expect, it } from "vitest";
import { findField } from "./jsonField.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("findField", () => {
  it.each([
    ['{"model":"nano","messages":[]}', "nano"],
    ['{"messages":[{"model":"inner","content":"} \\" model"}],"model":"nano:int4"}', "nano:int4"],
    ['  {\n "a" : "model" , "models" : [ "a", "b:c" ] , "x": 1 }', ["a", "b:c"]],
    ['{"mod\\u0065l":"n\\u0061no \\"ü\\" 你"}', 'nano "ü" 你'],
    ['{"a":1,"model":null}', null],
    ['{"a":{"model":1},"b":[{"model":2}]}', undefined],
    ['{"a":"\\\\","model":"nano"}', "nano"],
    ['{"model":7}', 7],
    ["[1,2]", undefined],
    ['"model"', undefined],
    ['{"model" nano}', undefined],
    ["{,}", undefined],
    ['{"a":"model', undefined],
    ["", undefined],
  ])("finds in %s: %j", (text, value) => {
    for (const size of [1, 3, 1000]) {
      const finder = findField(["model", "models"]);
      const all = bytes(text);
      for (let at = 0; at < all.length; at += size) finder.push(all.subarray(at, at + size));
      expect(finder.value).toEqual(value);
    }
  });

  it("says when it knows", () => {
    const finder = findField(["model"]);
    expect(
      ["{", '"a":1,"mo', 'del":"n', 'ano"', ',"b'].map((part) => finder.push(bytes(part))),
    ).toEqual([false, false, false, false, true]);
    expect(findField(["model"]).push(bytes('{"a":1}'))).toBe(true);
  });

  it("gives up on a value that is no name", () => {
    const finder = findField(["model"]);
    expect(finder.push(bytes(`{"model":"${"x".repeat(100_000)}`))).toBe(true);
    expect(finder.value).toBeUndefined();
  });
});
