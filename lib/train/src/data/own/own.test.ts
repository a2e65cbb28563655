import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { findMistakes, openDataSet } from "../dataSets.ts";
import { allSamples, fixture } from "../testing/fixtures.ts";
import { findSplit } from "./own.ts";

const own = (data: string) => allSamples({ format: "own", data: fixture(data) });

async function fileOf(name: string, content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "own-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, name), content);
  return join(folder, name);
}

test("rows of a JSONL file, by their line", async () => {
  expect(await own("own/rows")).toEqual([
    {
      place: "train.jsonl:1",
      picture: fixture("own/rows/red.png"),
      rounds: [{ instruction: "<Img><ImageHere></Img> Which colour? ", answer: "red" }],
    },
    {
      place: "train.jsonl:2",
      picture: fixture("own/rows/blue.png"),
      rounds: [{ instruction: "<Img><ImageHere></Img> [vqa] Which colour? ", answer: "blue" }],
    },
    {
      place: "train.jsonl:4",
      picture: fixture("own/rows/red.png"),
      rounds: [{ instruction: "Look: <Img><ImageHere></Img> which one?", answer: "the red one" }],
    },
    {
      place: "train.jsonl:5",
      picture: undefined,
      rounds: [{ instruction: "Say hello. ", answer: "Hello" }],
    },
    {
      place: "train.jsonl:6",
      picture: fixture("own/rows/blue.png"),
      rounds: [{ instruction: undefined, answer: "a blue square" }],
    },
  ]);
});

test("what it is held against has a file of its own", async () => {
  const valid = await findSplit(fixture("own/rows"), "valid");
  expect(valid).toBe(fixture("own/rows/valid.jsonl"));
  expect(await findSplit(fixture("own/llava"), "valid")).toBeUndefined();
});

test("LLaVA's conversations, in a list", async () => {
  expect(await own("own/llava")).toEqual([
    {
      place: "train.json[0]",
      picture: fixture("own/llava/red.png"),
      rounds: [
        {
          instruction: '<Img><ImageHere></Img> What is "this", [here]? ',
          answer: "A square.",
        },
        { instruction: "Of which colour? ", answer: "Red." },
      ],
    },
    {
      place: "train.json[1]",
      picture: undefined,
      rounds: [{ instruction: "Name a colour. ", answer: "Blue." }],
    },
    {
      place: "train.json[2]",
      picture: fixture("own/llava/red.png"),
      rounds: [{ instruction: undefined, answer: "a red square" }],
    },
  ]);
});

test("messages, as text or in parts", async () => {
  const samples = await own("own/messages");
  expect(samples.map(({ rounds }) => rounds)).toEqual([
    [{ instruction: "<Img><ImageHere></Img> What is it? ", answer: "A square." }],
    [{ instruction: "<Img><ImageHere></Img> Which colour? ", answer: "Blue." }],
  ]);
  expect(samples.map(({ picture }) => picture)).toEqual([
    fixture("own/messages/blue.png"),
    fixture("own/messages/blue.png"),
  ]);
});

test("a folder of pictures with a text each, and one with metadata", async () => {
  expect(await own("own/captions")).toEqual([
    {
      place: "a.jpg",
      picture: fixture("own/captions/a.jpg"),
      rounds: [{ instruction: undefined, answer: "a green square" }],
    },
    {
      place: "b.png",
      picture: fixture("own/captions/b.png"),
      rounds: [{ instruction: undefined, answer: "a red square" }],
    },
  ]);
  expect(await own("own/metadata")).toEqual([
    {
      place: "metadata.jsonl:1",
      picture: fixture("own/metadata/red.png"),
      rounds: [{ instruction: undefined, answer: "a red square" }],
    },
  ]);
});

test("every mistake is told with its line, what is wanted and what is there", async () => {
  const spec = { name: "broken", format: "own", data: fixture("own/broken") } as const;
  const countTokens = (text: string) => text.split(" ").length;
  const mistakes = await findMistakes(spec, { maxAnswerTokens: 4, countTokens });
  expect(mistakes.map(({ message }) => message)).toEqual([
    "train.jsonl:2: want the picture green.png, got no such file",
    "train.jsonl:3: answer: want a text, got an empty one",
    "train.jsonl:4: want a picture for each of 2 marks, got one",
    "train.jsonl:5: want a picture for each of 1 marks, got a row without one",
    expect.stringMatching(/^train\.jsonl:6: want JSON, got text that does not parse \(.*\)$/),
    'train.jsonl:7: want an object with "conversations" or "messages" or "answer" or "text", got "image", "question"',
    "train.jsonl:8: want one picture at most, got 2",
    "train.jsonl:9: turn 1: want a question, got an answer",
    'train.jsonl:10: messages[0].role: want one of human, user, gpt, assistant, got "system"',
    "train.jsonl:11: want a question or a picture, got neither",
    "train.jsonl:12: want the picture in the first question, got it in a later one",
    "train.jsonl:13: want answers of at most 4 tokens, got 6",
  ]);
  expect(mistakes.map(({ code, subject }) => [code, subject])).toContainEqual([
    "data",
    "train.jsonl:2",
  ]);
  await expect(openDataSet(spec)).rejects.toThrow("train.jsonl:2: want the picture green.png");
});

test.each([
  ["rows.json", '[{"prompt": "Hi", "answer": "Hello"}, {"prompt": ', "breaks off after 1 entries"],
  ["rows.json", '{"rows": []}', 'want a list called "data", got none'],
  ["rows.json", "prompt,answer\n", 'got text with "p" outside of any'],
  ["rows.csv", "prompt,answer\n", "rows.csv: want a file of rows (.jsonl, .json), got .csv"],
])("a file that is none of rows: %s %s", async (name, content, message) => {
  const data = await fileOf(name, content);
  await expect(openDataSet({ name: "rows", format: "own", data })).rejects.toThrow(message);
});

test("a byte order mark, a last line without an end, records larger than a chunk", async () => {
  const long = "x".repeat(3 << 20);
  const row = JSON.stringify({ prompt: "Höher?", answer: long });
  const lines = await allSamples({
    format: "own",
    data: await fileOf("rows.jsonl", `\ufeff${row}\r\n${row}`),
  });
  const list = await allSamples({
    format: "own",
    data: await fileOf("rows.json", `\ufeff{"info": "data", "data": [${row},\n${row}\n]}`),
  });
  for (const samples of [lines, list])
    expect(
      samples.map(({ rounds: [round] }) => [round?.instruction, round?.answer === long]),
    ).toEqual([
      ["Höher? ", true],
      ["Höher? ", true],
    ]);
});

test("a file that changed under a run is an error, not another sample", async () => {
  const data = await fileOf("rows.jsonl", '{"prompt": "Hi", "answer": "Hello"}\n');
  const set = await openDataSet({ name: "rows", format: "own", data });
  await writeFile(data, "");
  if (set.kind !== "listed") throw new Error("want a listed set");
  await expect(set.sample(0, () => 0)).rejects.toThrow("rows.jsonl: want 35 bytes at 0, got 0");
});
