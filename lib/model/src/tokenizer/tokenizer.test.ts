import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { padBatch } from "./padding.ts";
import { maxTextLength } from "@tinygptv/protocol";
import { loadTokenizer } from "./loadTokenizer.ts";
import type { Tokenizer } from "./tokenizer.ts";

const fixtures = new URL("../../../../test/fixtures/", import.meta.url);
const readJson = async (path: string) =>
  JSON.parse(await readFile(new URL(path, fixtures), "utf8"));

const decoded = {
  ids: z.array(z.number()),
  decoded: z.string(),
  decoded_keep_special: z.string(),
  decoded_raw: z.string(),
};
const batch = z.object({
  texts: z.array(z.string()),
  input_ids: z.array(z.array(z.number())),
  attention_mask: z.array(z.array(z.number())),
});
const cases = z
  .object({
    vocab_size: z.number(),
    eos_token_id: z.number(),
    token_to_id: z.record(z.string(), z.number()),
    encode: z.array(z.object({ text: z.string(), ...decoded })),
    decode: z.array(z.object(decoded)),
    padding: z.object({ left: batch, right: batch }),
    truncation: batch.extend({ max_length: z.number() }),
  })
  .parse(await readJson("tokenizer/cases.json"));

const tokenizer = await loadTokenizer(fileURLToPath(new URL("tokenizer", fixtures)));

describe("the full tokenizer", () => {
  it("has the reference's vocabulary", () => {
    expect(tokenizer.vocabularySize).toBe(cases.vocab_size);
    expect(tokenizer.endOfTextId).toBe(cases.eos_token_id);
    expect([...tokenizer.specialIds]).toEqual([cases.eos_token_id]);
    // The reference gives the unknown token's id for what it does not know.
    const ids = Object.keys(cases.token_to_id).map(
      (token) => tokenizer.idOf(token) ?? cases.eos_token_id,
    );
    expect(ids).toEqual(Object.values(cases.token_to_id));
    expect(tokenizer.idOf("not-a-token")).toBeUndefined();
  });

  it("encodes as the reference", () => {
    const encoded = cases.encode.map(({ text }) => ({ text, ids: tokenizer.encode(text) }));
    expect(encoded).toEqual(cases.encode.map(({ text, ids }) => ({ text, ids })));
  });

  it("decodes as the reference, and exactly", () => {
    const expected = [...cases.encode, ...cases.decode];
    const actual = expected.map(({ ids }) => ({
      ids,
      decoded: tokenizer.decodeReference(ids),
      decoded_keep_special: tokenizer.decodeReference(ids, { keepSpecial: true }),
      decoded_raw: tokenizer.decode(ids, { keepSpecial: true }),
    }));
    expect(expected).toMatchObject(actual);
  });

  it("leaves special tokens out unless asked", () => {
    const ids = [tokenizer.endOfTextId, 15496, tokenizer.endOfTextId];
    expect(tokenizer.decode(ids)).toBe("Hello");
    expect(tokenizer.decode(ids, { keepSpecial: true })).toBe("<|endoftext|>Hello<|endoftext|>");
  });

  it("gives every text back, byte for byte", () => {
    const anyText = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: fc.constantFrom(" ", "\t", "\n", "a", "'s", "\ufeff", "😀", " .") }),
    );
    fc.assert(
      fc.property(anyText, (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
    );
  });

  it("reads an unpaired surrogate as U+FFFD", () => {
    expect(tokenizer.decode(tokenizer.encode("a\ud83d!"))).toBe("a\ufffd!");
  });

  it("knows the bytes of every token", () => {
    expect(tokenizer.tokenBytes(tokenizer.idOf("Ġway")!)).toEqual(
      Uint8Array.from(Buffer.from(" way")),
    );
    expect(tokenizer.tokenBytes(50286)).toEqual(Uint8Array.of(32, 32));
    expect(tokenizer.tokenText(50256)).toBe("<|endoftext|>");
    expect(tokenizer.tokenText(222)).toBe("\ufffd");
    const single = Array.from({ length: 256 }, (_, id) => tokenizer.tokenBytes(id));
    expect(new Set(single.map((bytes) => bytes[0])).size).toBe(256);
  });

  it("takes ids without a token, as the padded logits have them, for nothing", () => {
    expect(tokenizer.decode([64, 50295, 51199, -1, 65])).toBe("ab");
    expect(tokenizer.decodeReference([64, 51199, 65])).toBe("ab");
    expect(tokenizer.tokenText(51199)).toBe("");
    expect(tokenizer.decode([])).toBe("");
  });

  it("refuses a text over the limit", () => {
    expect(() => tokenizer.encode("a".repeat(maxTextLength + 1))).toThrow(
      "text: want at most 100000 characters, got 100001",
    );
    expect(tokenizer.encode(" ".repeat(maxTextLength)).length).toBe(Math.ceil(maxTextLength / 31));
  });
});

describe("padBatch", () => {
  const padId = cases.eos_token_id;
  const { left, right } = cases.padding;

  it.each([
    { name: "left", batch: left, options: { side: "left", padId } as const },
    { name: "right", batch: right, options: { side: "right", padId } as const },
    {
      name: "truncated",
      batch: cases.truncation,
      options: { side: "right", padId, maxLength: cases.truncation.max_length } as const,
    },
  ])("pads as the reference ($name)", ({ batch: expected, options }) => {
    const padded = padBatch(
      expected.texts.map((text) => tokenizer.encode(text)),
      options,
    );
    expect(padded).toEqual({
      inputIds: expected.input_ids,
      attentionMask: expected.attention_mask,
    });
  });
});

const definition = await readJson("micro-stage4/phi-2/tokenizer.json");

describe("tokenizer files", () => {
  const phi = (file: string) => new URL(`micro-stage4/phi-2/${file}`, fixtures);
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "tokenizer-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function load(changed: object) {
    await writeFile(join(folder, "tokenizer.json"), JSON.stringify({ ...definition, ...changed }));
    return loadTokenizer(folder);
  }

  it("builds the same tokenizer from vocab.json, merges.txt and added_tokens.json", async () => {
    const whole = await loadTokenizer(fileURLToPath(phi(".")));
    await Promise.all(
      ["vocab.json", "merges.txt", "added_tokens.json"].map((file) =>
        copyFile(phi(file), join(folder, file)),
      ),
    );
    const separate = await loadTokenizer(folder);
    expect(separate.vocabularySize).toBe(whole.vocabularySize);
    expect(separate.specialIds).toEqual(whole.specialIds);
    const texts = cases.encode.map(({ text }) => text);
    expect(texts.map((text) => separate.encode(text))).toEqual(
      texts.map((text) => whole.encode(text)),
    );
  });

  it("reads merges written as pairs", async () => {
    const merges = definition.model.merges.map((merge: string) => merge.split(" "));
    const pairs = await load({ model: { ...definition.model, merges } });
    expect(pairs.decode(pairs.encode("what color is it?"))).toBe("what color is it?");
    expect(pairs.encode("what color").length).toBeLessThan(10);
  });

  const byteLevel = { type: "ByteLevel", add_prefix_space: false };
  const rule = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
  it.each<[string, object]>([
    ["in a sequence", { type: "Sequence", pretokenizers: [byteLevel] }],
    [
      "in a sequence of sequences",
      { type: "Sequence", pretokenizers: [{ type: "Sequence", pretokenizers: [byteLevel] }] },
    ],
    [
      "as two steps",
      {
        type: "Sequence",
        pretokenizers: [
          { type: "Split", pattern: { Regex: rule }, behavior: "Isolated", invert: false },
          { ...byteLevel, use_regex: false },
        ],
      },
    ],
  ])("reads the rule for splitting text %s", async (_, pre_tokenizer) => {
    const wrapped = await load({
      pre_tokenizer,
      normalizer: { type: "Sequence", normalizers: [] },
    });
    const plain = await load({});
    const texts = cases.encode.map(({ text }) => text);
    const encoded = ({ encode }: Pick<Tokenizer, "encode">) => texts.map((text) => encode(text));
    expect(encoded(wrapped)).toEqual(encoded(plain));
  });

  it("says which files it looked for", async () => {
    await expect(loadTokenizer(folder)).rejects.toMatchObject({
      code: "model",
      message: `${folder}: want tokenizer.json, or vocab.json and merges.txt; got neither tokenizer.json nor vocab.json`,
    });
  });

  const { vocab, merges } = definition.model;
  const { "!": _removed, ...withoutExclamation } = vocab;
  it.each([
    ["another normalizer", { normalizer: { type: "NFC" } }, /normalizer/],
    ["another model", { model: { type: "Unigram", vocab: [], merges } }, /model.type/],
    [
      "a prefix space",
      { pre_tokenizer: { type: "ByteLevel", add_prefix_space: true } },
      /add_prefix_space/,
    ],
    [
      "another rule for splitting text in a sequence",
      { pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "Whitespace" }, byteLevel] } },
      /pre_tokenizer/,
    ],
    [
      "a missing byte",
      { model: { vocab: withoutExclamation, merges } },
      /want all 256 byte symbols as tokens, 1 are missing/,
    ],
    [
      "a merge to nowhere",
      { model: { vocab, merges: ["! !"] } },
      /the merge \["!","!"\] makes no token/,
    ],
    [
      "a merge of three",
      { model: { vocab, merges: ["a b c"] } },
      /want merges of two tokens, got "a b c"/,
    ],
    ["a shared id", { model: { vocab: { ...vocab, "!!!": 5 }, merges } }, /both have id 5/],
    [
      "a huge id",
      { model: { vocab: { ...vocab, "!!!": 2 ** 31 }, merges } },
      /want an id from 0 to 999999, got 2147483648/,
    ],
    [
      "plain spaces",
      { model: { vocab: { ...vocab, " x": 899 }, merges } },
      /" x" is not spelled in byte symbols/,
    ],
    [
      "no end of text",
      {
        added_tokens: [],
        model: {
          vocab: Object.fromEntries(
            Object.entries(vocab).filter(([token]) => token !== "<|endoftext|>"),
          ),
          merges,
        },
      },
      /want a token <\|endoftext\|>/,
    ],
  ])("refuses %s", async (_name, changed, message) => {
    await expect(load(changed)).rejects.toMatchObject({
      code: "model",
      message: expect.stringMatching(message),
    });
  });

  it("refuses what is not JSON", async () => {
    await writeFile(join(folder, "tokenizer.json"), "{");
    await expect(loadTokenizer(folder)).rejects.toThrow("tokenizer.json: want JSON");
  });
});
