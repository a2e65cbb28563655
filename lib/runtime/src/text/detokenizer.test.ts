import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDetokenizer } from "./detokenizer.ts";
import { loadTokenizer } from "@tinygptv/model/disk";

const tokenizer = await loadTokenizer(
  fileURLToPath(new URL("../../../../test/fixtures/micro-stage4/phi-2", import.meta.url)),
);

function pieces(ids: readonly number[]): string[] {
  const detokenizer = createDetokenizer(tokenizer);
  return [...ids.map(detokenizer.push), detokenizer.flush()];
}

const someIds = fc.array(fc.integer({ min: 0, max: tokenizer.vocabularySize }));
/** Tokens of texts in which one character is several of them. */
const idsOfText = fc
  .array(fc.constantFrom("😀", "é", "字", "a", " "))
  .map((characters) => tokenizer.encode(characters.join("")));

describe("createDetokenizer", () => {
  it("gives the text of the whole list, in pieces", () => {
    fc.assert(
      fc.property(fc.oneof(someIds, idsOfText), (ids) => {
        expect(pieces(ids).join("")).toBe(tokenizer.decode(ids));
      }),
    );
  });

  it("never cuts a character", () => {
    fc.assert(
      fc.property(idsOfText, (ids) => {
        expect(
          pieces(ids).every((piece) => piece.isWellFormed() && !piece.includes("\ufffd")),
        ).toBe(true);
      }),
    );
  });

  it("holds a character back until its last byte", () => {
    const ids = tokenizer.encode("字");
    expect(ids).toHaveLength(3);
    expect(pieces(ids)).toEqual(["", "", "字", ""]);
    expect(pieces(ids.slice(0, 2))).toEqual(["", "", "\ufffd"]);
  });

  it("leaves special tokens out, also within a character", () => {
    const [first, ...rest] = tokenizer.encode("é");
    expect(pieces([first!, tokenizer.endOfTextId, ...rest]).join("")).toBe("é");
  });
});
