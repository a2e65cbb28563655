import { expect, test } from "vitest";
import { TinyGptvError } from "@tinygptv/protocol";
import { readPickle } from "./dataPickle.ts";
import { Unread } from "./untrusted.ts";

const text = (program: string) => readPickle("a/refs.p", Buffer.from(program, "latin1"));

// pickle.dumps(value, protocol) of CPython 3.
test.each([
  [
    0,
    "KGxwMAooZHAxClZyZWZfaWQKcDIKSTAKc1ZzZW50ZW5jZXMKcDMKKGxwNAooZHA1ClZyYXcKcDYKVml0J3MgInRoZSIgXHUwMDVjIGxvd2VyXHUwMDBhCnA3CnNWc2VudApwOApW6Vx1MjBhY1xVMDAwMWY2MDAKcDkKc1Z0CnAxMApJMDEKc1ZmCnAxMQpJMDAKc1ZuCnAxMgpOc1Z4CnAxMwpGMS41CnNWYmlnCnAxNApMMTA5OTUxMTYyNzc3NkwKc1ZuZWcKcDE1CkktMwpzYXNWYmJveApwMTYKKEYxLjI1CkkyCkkzCkk0CnRwMTcKc1ZpZHMKcDE4CihscDE5CnNWYWdhaW4KcDIwCmc0CnNhLg==",
  ],
  [
    1,
    "XXEAfXEBKFgGAAAAcmVmX2lkcQJLAFgJAAAAc2VudGVuY2VzcQNdcQR9cQUoWAMAAAByYXdxBlgTAAAAaXQncyAidGhlIiBcIGxvd2VyCnEHWAQAAABzZW50cQhYCQAAAMOp4oKs8J+YgHEJWAEAAAB0cQpJMDEKWAEAAABmcQtJMDAKWAEAAABucQxOWAEAAAB4cQ1HP/gAAAAAAABYAwAAAGJpZ3EOTDEwOTk1MTE2Mjc3NzZMClgDAAAAbmVncQ9K/f///3VhWAQAAABiYm94cRAoRz/0AAAAAAAASwJLA0sEdHERWAMAAABpZHNxEl1xE1gFAAAAYWdhaW5xFGgEdWEu",
  ],
  [
    2,
    "gAJdcQB9cQEoWAYAAAByZWZfaWRxAksAWAkAAABzZW50ZW5jZXNxA11xBH1xBShYAwAAAHJhd3EGWBMAAABpdCdzICJ0aGUiIFwgbG93ZXIKcQdYBAAAAHNlbnRxCFgJAAAAw6nigqzwn5iAcQlYAQAAAHRxCohYAQAAAGZxC4lYAQAAAG5xDE5YAQAAAHhxDUc/+AAAAAAAAFgDAAAAYmlncQ6KBgAAAAAAAVgDAAAAbmVncQ9K/f///3VhWAQAAABiYm94cRAoRz/0AAAAAAAASwJLA0sEdHERWAMAAABpZHNxEl1xE1gFAAAAYWdhaW5xFGgEdWEu",
  ],
  [
    3,
    "gANdcQB9cQEoWAYAAAByZWZfaWRxAksAWAkAAABzZW50ZW5jZXNxA11xBH1xBShYAwAAAHJhd3EGWBMAAABpdCdzICJ0aGUiIFwgbG93ZXIKcQdYBAAAAHNlbnRxCFgJAAAAw6nigqzwn5iAcQlYAQAAAHRxCohYAQAAAGZxC4lYAQAAAG5xDE5YAQAAAHhxDUc/+AAAAAAAAFgDAAAAYmlncQ6KBgAAAAAAAVgDAAAAbmVncQ9K/f///3VhWAQAAABiYm94cRAoRz/0AAAAAAAASwJLA0sEdHERWAMAAABpZHNxEl1xE1gFAAAAYWdhaW5xFGgEdWEu",
  ],
  [
    4,
    "gASVtQAAAAAAAABdlH2UKIwGcmVmX2lklEsAjAlzZW50ZW5jZXOUXZR9lCiMA3Jhd5SME2l0J3MgInRoZSIgXCBsb3dlcgqUjARzZW50lIwJw6nigqzwn5iAlIwBdJSIjAFmlImMAW6UTowBeJRHP/gAAAAAAACMA2JpZ5SKBgAAAAAAAYwDbmVnlEr9////dWGMBGJib3iUKEc/9AAAAAAAAEsCSwNLBHSUjANpZHOUXZSMBWFnYWlulGgEdWEu",
  ],
  [
    5,
    "gAWVtQAAAAAAAABdlH2UKIwGcmVmX2lklEsAjAlzZW50ZW5jZXOUXZR9lCiMA3Jhd5SME2l0J3MgInRoZSIgXCBsb3dlcgqUjARzZW50lIwJw6nigqzwn5iAlIwBdJSIjAFmlImMAW6UTowBeJRHP/gAAAAAAACMA2JpZ5SKBgAAAAAAAYwDbmVnlEr9////dWGMBGJib3iUKEc/9AAAAAAAAEsCSwNLBHSUjANpZHOUXZSMBWFnYWlulGgEdWEu",
  ],
])("annotations in protocol %i", (_protocol, bytes) => {
  const sentences = [
    new Map<string, unknown>([
      ["raw", `it's "the" \\ lower\n`],
      ["sent", "é€😀"],
      ["t", true],
      ["f", false],
      ["n", null],
      ["x", 1.5],
      ["big", 2 ** 40],
      ["neg", -3],
    ]),
  ];
  expect(readPickle("refs.p", Buffer.from(bytes, "base64"))).toEqual([
    new Map<string, unknown>([
      ["ref_id", 0],
      ["sentences", sentences],
      ["bbox", [1.25, 2, 3, 4]],
      ["ids", []],
      ["again", sentences],
    ]),
  ]);
});

test("strings of Python 2, in text and in binary", () => {
  expect(
    text(String.raw`(lp1
S'left'
p2
aS"it's"
aS'a\'b\\c\n\xc3\xa9\101'
ag2
a.`),
  ).toEqual(["left", "it's", "a'b\\c\néA", "left"]);
  expect(text("\x80\x02]q\x01U\x04leftq\x02a.")).toEqual(["left"]);
});

test.each([
  ["(lp0\n", "cut short"],
  ["I1x\n.", 'want a number, got "1x"'],
  ["S'open\n.", "want a quoted string"],
  ["g7\n.", "no remembered value 7"],
  ["Pid\n.", "opcode 0x50 is none that data needs"],
  ["(ios\nsystem\n.", "opcode 0x69 is none that data needs"],
  ["\x80\x06N.", "want protocol 5 at most, got 6"],
])("%j is refused", (program, problem) => {
  expect(() => text(program)).toThrow(TinyGptvError);
  expect(() => text(program)).toThrow(`refs.p: pickle: ${problem}`);
});

test("what names a function runs nothing and is not read", () => {
  const value = text("(dp0\nS'run'\ncos\nsystem\n(S'exit 1'\ntRs.");
  expect((value as Map<string, unknown>).get("run")).toBeInstanceOf(Unread);
});
