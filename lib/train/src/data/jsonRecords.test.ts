import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { jsonEntries, jsonLines, type RecordFile } from "./jsonRecords.ts";

async function written(content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "records-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, "records");
  await writeFile(path, content);
  return path;
}

async function all(file: RecordFile): Promise<{ place: string; value: unknown; bytes: number }[]> {
  const found = [];
  for await (const { text, number, bytes } of file.read())
    found.push({ place: file.place(number), value: file.parse(text, number), bytes });
  return found;
}

// More than a chunk, so that chunks end at every kind of place.
const awkward = Array.from({ length: 20_000 }, (_, i) => ({
  i,
  text: ['"', "\\", '\\"', "]}", "[{", ",", "é€😀", "\n", ":"][i % 9]!.repeat((i % 13) + 1),
  list: [[], [i], { "a]": "{" }],
  none: null,
}));

test("entries of lists, of named lists and of objects are what JSON.parse makes of them", async () => {
  const list = await written(JSON.stringify(awkward));
  expect((await all(jsonEntries(list))).map(({ value }) => value)).toEqual(awkward);

  const spaced = JSON.stringify(
    { info: { data: [1], x: "data" }, data: awkward, end: [2] },
    null,
    2,
  );
  const named = await written(spaced);
  expect((await all(jsonEntries(named, "data"))).map(({ value }) => value)).toEqual(awkward);
  expect((await all(jsonEntries(named, "end"))).map(({ value }) => value)).toEqual([2]);

  const object = Object.fromEntries(awkward.map((one) => [`"${one.text}${one.i}`, one]));
  const entries = await all(jsonEntries(await written(JSON.stringify(object))));
  expect(Object.assign({}, ...entries.map(({ value }) => value as object))).toEqual(object);
});

test("lines are numbered as an editor numbers them", async () => {
  const file = jsonLines(
    await written(`\n${awkward.map((one) => JSON.stringify(one)).join("\n\r\n")}`),
  );
  const lines = await all(file);
  expect(lines.map(({ value }) => value)).toEqual(awkward);
  expect([lines[0]?.place, lines[1]?.place]).toEqual(["records:2", "records:4"]);
});

test("lists without entries have none", async () => {
  for (const text of ["[]", " [ ] ", '{"data": []}'])
    expect(await all(jsonEntries(await written(text), "data"))).toEqual([]);
});

test.each([
  ["[1, 2", "want JSON to its end, got a file that breaks off after 1 entries"],
  ['{"data": [{"a": "]', "want JSON to its end, got a file that breaks off after 0 entries"],
  ['{"other": []}', 'want a list called "data", got none'],
  ["", 'want a list called "data", got none'],
  ["hello", 'want a list in JSON, got text with "h" outside of any'],
])("%j is no list", async (text, message) => {
  await expect(all(jsonEntries(await written(text), "data"))).rejects.toThrow(message);
});
