import { expect, test } from "vitest";
import { z } from "zod";

import { TinyGptvError } from "./errors.ts";
import { check, parse } from "./issues.ts";
import { recordOf } from "./record.ts";

const schema = z.strictObject({
  name: z.string().min(1).max(5),
  size: z.number().int().min(2).max(9).default(3),
  kind: z.enum(["a", "b"]).optional(),
  rounds: z.array(z.strictObject({ text: z.string(), ok: z.boolean().optional() })).max(2),
  extra: z.record(z.string(), z.number().min(0).max(1)).optional(),
});

test("gives what the schema makes of a value", () => {
  expect(parse(schema, { name: "x", rounds: [] }, "prompt")).toEqual({
    name: "x",
    size: 3,
    rounds: [],
  });
});

const fine = { name: "x", rounds: [] };
test.each([
  [{ ...fine, name: "" }, 'name: want a text of 1 to 5 characters, got ""', "name"],
  [{ ...fine, name: undefined }, "name: want a text of 1 to 5 characters, got nothing", "name"],
  [{ ...fine, size: 10 }, "size: want a whole number from 2 to 9, got 10", "size"],
  [{ ...fine, size: Infinity }, "size: want a whole number from 2 to 9, got Infinity", "size"],
  [{ ...fine, kind: "c" }, 'kind: want one of a, b, got "c"', "kind"],
  [{ ...fine, rounds: {} }, "rounds: want a list of 0 to 2 items, got an object", "rounds"],
  [
    { ...fine, rounds: [1, 2, 3] },
    "rounds: want a list of 0 to 2 items, got a list of 3",
    "rounds",
  ],
  [{ ...fine, rounds: [1] }, "rounds[0]: want an object, got 1", "rounds"],
  [{ ...fine, rounds: [{ text: 4 }] }, "rounds[0].text: want a text, got 4", "rounds"],
  [{ ...fine, rounds: [{ text: "", ok: 1 }] }, "rounds[0].ok: want true or false, got 1", "rounds"],
  [{ ...fine, rounds: [{ txt: "" }] }, "rounds[0].text: want a text, got nothing", "rounds"],
  [{ ...fine, extra: { x: 2 } }, "extra.x: want a number from 0 to 1, got 2", "extra"],
  [{ ...fine, nmae: 1 }, "nmae: want one of name, size, kind, rounds, extra, got 1", "nmae"],
  [
    { ...fine, rounds: [{ text: "", tekst: "" }] },
    'rounds[0].tekst: want one of text, ok, got ""',
    "rounds",
  ],
  [7, "request: want an object, got 7", "request"],
])("names what is wrong in %o", (value, message, subject) => {
  const act = () => parse(schema, value, "prompt");
  expect(act).toThrow(TinyGptvError);
  expect(act).toThrow(expect.objectContaining({ code: "prompt", message, subject }));
});

test("shows long values in part", () => {
  const act = () => parse(schema, { ...fine, name: "y".repeat(1000) }, "prompt");
  expect(act).toThrow(/^.{0,120}$/);
});

test.each([
  ["list", { list: Array(1000).fill(0) }, "want a list of 0 to 3 items, got a list of 1000"],
  [
    "record",
    { record: Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, 0])) },
    "want an object of 0 to 3 entries, got an object of 1000",
  ],
  [
    "either",
    { either: Array(1000).fill(0) },
    "want a text or a list of 0 to 3 items, got a list of 1000",
  ],
  [
    "inner[1].list",
    { inner: [{}, { list: Array(1000).fill(0) }] },
    "want a list of 0 to 3 items, got a list of 1000",
  ],
])("what has far too many entries is refused before any is looked at: %s", (at, value, message) => {
  let looked = 0;
  const entry = z.custom(() => {
    looked += 1;
    return false;
  });
  const list = z.array(entry).max(3).optional();
  const bounded = z.strictObject({
    list,
    record: recordOf(z.string(), entry, 3).optional(),
    either: z.union([z.string(), z.array(entry).max(3)]).optional(),
    inner: z.array(z.strictObject({ list })).optional(),
  });
  expect(check(bounded, value).faults).toEqual([expect.objectContaining({ at, message })]);
  expect(looked).toBe(0);
});
