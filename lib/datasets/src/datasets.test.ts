import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readDataset, type DatasetName, type DatasetSource } from "./datasets.ts";
import type { Row } from "./row.ts";

const sets = fileURLToPath(new URL("../../../test/fixtures/eval/", import.meta.url));

let scratch = "";
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "tinygptv-datasets-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** What a row says, without where it stands. */
async function read(name: DatasetName, folder: string, source: Partial<DatasetSource> = {}) {
  const rows = await readDataset(name, { data: join(sets, folder), ...source });
  return Promise.all(
    rows.map(async ({ at: _at, picture, ...row }: Row) => {
      const bytes = await picture.read();
      return { ...row, jpeg: bytes[0] === 0xff && bytes[1] === 0xd8 };
    }),
  );
}

const plain = (rows: readonly object[], ...left: string[]) =>
  rows.map((row) => Object.fromEntries(Object.entries(row).filter(([key]) => !left.includes(key))));

const jpeg = true;

describe("as published", () => {
  it("reads VSR's zero-shot split", async () => {
    expect(await read("vsr", "vsr")).toEqual([
      {
        kind: "label",
        id: "0",
        text: "The apple is left of the apple.",
        label: true,
        type: "left of",
        jpeg,
      },
      {
        kind: "label",
        id: "1",
        text: "The roof is under the house.",
        label: false,
        type: "under",
        jpeg,
      },
      {
        kind: "label",
        id: "2",
        text: "The sun is above the grass.",
        label: true,
        type: "above",
        jpeg,
      },
      {
        kind: "label",
        id: "3",
        text: "The apple contains the house.",
        label: false,
        type: "contains",
        jpeg,
      },
    ]);
  });

  it("reads the file it is pointed at", async () => {
    expect(
      await read("vsr", "vsr/splits/random/test.jsonl", { images: join(sets, "vsr") }),
    ).toHaveLength(1);
  });

  it("reads GQA's questions by id", async () => {
    expect(await read("gqa", "gqa")).toEqual([
      {
        kind: "question",
        id: "201",
        question: "What fruit is this?",
        answers: ["apple"],
        type: "query",
        jpeg,
      },
      {
        kind: "question",
        id: "202",
        question: "Is the roof blue?",
        answers: ["yes"],
        type: "verify",
        jpeg,
      },
      {
        kind: "question",
        id: "203",
        question: "Is there a dog?",
        answers: ["no"],
        type: "verify",
        jpeg,
      },
    ]);
  });

  const iconqa = [
    {
      kind: "choice",
      id: "11",
      question: "How many apples are there?",
      choices: ["1", "2", "3"],
      answer: 1,
      type: "grade1",
      jpeg,
    },
    {
      kind: "choice",
      id: "12",
      question: "What colour is the roof?",
      choices: ["red", "blue"],
      answer: 1,
      type: "grade1",
      jpeg,
    },
    {
      kind: "choice",
      id: "13",
      question: "Is it day or night?",
      choices: ["day", "night"],
      answer: 0,
      type: "grade2",
      jpeg,
    },
  ];
  it.each(["iconqa/iconqa_data", "iconqa/iconqa_data/iconqa"])(
    "reads IconQA in %s",
    async (folder) => {
      expect(await read("iconvqa", folder)).toEqual(iconqa);
    },
  );

  it("reads the reference's list of IconQA", async () => {
    const images = join(sets, "iconqa/iconqa_data");
    expect(await read("iconvqa", "iconqa/reference", { images })).toEqual(
      iconqa.map(({ type: _type, ...row }) => ({ ...row, type: undefined })),
    );
  });

  it("reads VizWiz with all ten answers, empty ones too", async () => {
    const rows = await read("vizwiz", "vizwiz");
    expect(rows.map(({ id, type }) => [id, type])).toEqual([
      ["VizWiz_val_00000000.jpg", "other"],
      ["VizWiz_val_00000001.jpg", "unanswerable"],
      ["VizWiz_val_00000002.jpg", "other"],
    ]);
    expect(rows[1]).toMatchObject({ answers: [...Array(8).fill("unanswerable"), "nothing", ""] });
  });

  it("reads Hateful Memes", async () => {
    expect(await read("hm", "hateful_memes")).toEqual([
      { kind: "label", id: "8291", text: "a mean saying", label: true, jpeg },
      { kind: "label", id: "46971", text: "an apple a day", label: false, jpeg },
      { kind: "label", id: "3745", text: "home sweet home", label: false, jpeg },
    ]);
  });

  it("brings OK-VQA's questions and answers together", async () => {
    const rows = await read("okvqa", "okvqa");
    expect(rows).toMatchObject([
      { id: "215", question: "What vitamin is in this fruit?", type: "Cooking and Food" },
      { id: "225", type: "Vehicles and Transportation" },
    ]);
    expect(rows[0]).toMatchObject({
      answers: [...Array(6).fill("c"), ...Array(4).fill("vitamin c")],
    });
  });

  const size = { width: 64, height: 48 };
  const left = { kind: "phrase", boxes: [[6, 14, 26, 34]], size, jpeg };
  const right = { kind: "phrase", boxes: [[38, 14, 58, 34]], size, jpeg };
  const house = { kind: "phrase", boxes: [[8, 20, 28, 40]], size, jpeg };
  it.each([
    ["refcoco", "testA", "testB"],
    ["refcoco+", "testA", "testB"],
  ] as const)(
    "reads the pickle of %s, a sentence a row, its splits told apart",
    async (name, a, b) => {
      expect(await read(name, "refer")).toEqual([
        { ...left, id: "0", phrase: "left apple", type: "val" },
        { ...left, id: "1", phrase: "the apple on the left", type: "val" },
        { ...right, id: "2", phrase: "right apple", type: a },
        { ...house, id: "3", phrase: "house", type: b },
      ]);
    },
  );

  it("reads RefCOCOg, which has other splits", async () => {
    const rows = await read("refcocog", "refer", { splits: ["test"] });
    expect(plain(rows, "size")).toMatchObject([{ phrase: "right apple", type: "test" }]);
  });

  it("reads the reference's list of RefCOCO", async () => {
    const images = join(sets, "refer/images");
    expect(await read("refcoco", "refer/reference", { images })).toMatchObject([
      { ...left, phrase: "left apple", type: "val" },
      { ...left, phrase: "the apple on the left", type: "val" },
    ]);
  });

  const apples = [
    "Two red apples on a white table.",
    "A pair of apples side by side.",
    "two apples",
  ];
  it.each([
    ["coco", "coco", 3],
    ["nocaps", "nocaps", 3],
    ["textcaps", "textcaps", 3],
    ["flickr30k", "flickr30k", 2],
    ["flickr30k", "flickr30k/tokens/results_20130124.token", 3],
    ["coco", "coco/karpathy/dataset_coco.json", 2],
  ] as const)("reads the captions of %s in %s", async (name, folder, count) => {
    const images = join(sets, folder.split("/")[0]!);
    const rows = await read(name, folder, { images });
    expect(rows).toHaveLength(count);
    expect(rows[0]).toMatchObject({ kind: "captions", captions: apples, jpeg });
  });

  it("tells the domains of NoCaps apart", async () => {
    const rows = await read("nocaps", "nocaps");
    expect(rows.map(({ type }) => type)).toEqual(["in-domain", "near-domain", "out-domain"]);
  });

  it("reads COCO's objects by picture and category, without crowds", async () => {
    const size64 = { width: 64, height: 48 };
    expect(await read("coco-detection", "coco")).toEqual([
      {
        kind: "phrase",
        id: "41/apple",
        phrase: "apple",
        boxes: [
          [6, 14, 26, 34],
          [38, 14, 58, 34],
        ],
        size: size64,
        type: "apple",
        jpeg,
      },
      {
        kind: "phrase",
        id: "42/house",
        phrase: "house",
        boxes: [[8, 20, 28, 40]],
        size: size64,
        type: "house",
        jpeg,
      },
    ]);
  });

  it("reads one's own questions, one answer or several", async () => {
    expect(await read("own", "own")).toMatchObject([
      { question: "[vqa] how many apples?", answers: ["two", "a pair"], type: "count" },
      { answers: ["{<12><41><43><83>}"], type: "box" },
      { question: "What is it?", answers: ["a sun"] },
    ]);
  });
});

describe("as Parquet with pictures inside", () => {
  it.each([
    ["vsr", "vsr", "vsr", []],
    ["gqa", "gqa", "gqa", []],
    ["iconvqa", "iconqa/iconqa_data", "iconqa", []],
    ["vizwiz", "vizwiz", "vizwiz", ["id"]],
    ["hm", "hateful_memes", "hateful_memes", []],
    ["okvqa", "okvqa", "okvqa", ["type"]],
    ["refcoco", "refer", "refcoco", ["id", "size"]],
    ["coco", "coco", "coco", []],
    ["nocaps", "nocaps", "nocaps", ["type"]],
    ["textcaps", "textcaps", "textcaps", []],
    ["flickr30k", "flickr30k", "flickr30k", []],
  ] as const)("%s says the same", async (name, folder, parquet, left) => {
    const published = await read(name, folder);
    const inside = await read(name, `parquet/${parquet}`);
    expect(plain(inside, ...left)).toEqual(plain(published, ...left));
  });

  it("reads a file it is pointed at", async () => {
    expect(await read("vizwiz", "parquet/vizwiz/data/val-00001-of-00002.parquet")).toHaveLength(1);
  });

  it("takes files that name no split", async () => {
    const from = join(sets, "parquet/vsr/data/test-00000-of-00001.parquet");
    const folder = join(scratch, "unnamed");
    await cp(from, join(folder, "0000.parquet"));
    expect(await readDataset("vsr", { data: folder })).toHaveLength(4);
  });

  it("names the file and row of what is wrong", async () => {
    const data = join(sets, "parquet/vsr");
    await expect(readDataset("hm", { data, splits: ["test"] })).rejects.toThrow(
      /test-00000-of-00001\.parquet, row 1: text: want a text, got nothing/,
    );
  });

  it("refuses what is no Parquet", async () => {
    const data = join(scratch, "broken.parquet");
    await writeFile(data, "PAR1 not at all PAR1");
    await expect(readDataset("own", { data })).rejects.toThrow(/broken\.parquet: want /);
  });
});

describe("what is wrong is named by file and line", () => {
  async function edited(
    folder: string,
    file: string,
    edit: (text: string) => string,
  ): Promise<string> {
    const copy = await mkdtemp(join(scratch, "edited-"));
    await cp(join(sets, folder), copy, { recursive: true });
    const path = join(copy, file);
    await writeFile(path, edit(await readFile(path, "utf8")));
    return copy;
  }

  it.each([
    [
      "vsr",
      "vsr",
      "splits/zeroshot/test.jsonl",
      '"label":0',
      '"label":2',
      /test\.jsonl:2: label: want .*, got 2$/,
    ],
    [
      "vsr",
      "vsr",
      "splits/zeroshot/test.jsonl",
      '{"image":"000000000003',
      '{"image":',
      /test\.jsonl:3: want JSON, got text that does not parse$/,
    ],
    [
      "vsr",
      "vsr",
      "splits/zeroshot/test.jsonl",
      '"000000000003.jpg","caption',
      '"9.jpg","caption',
      /test\.jsonl:3: want the picture 9\.jpg below .*, got none$/,
    ],
    [
      "gqa",
      "gqa",
      "testdev_balanced_questions.json",
      '"answer": "yes"',
      '"answer": 7',
      /questions\.json: .*202\.answer: want a text, got 7/,
    ],
    [
      "iconvqa",
      "iconqa/iconqa_data",
      "problems.json",
      '"answer": 1',
      '"answer": 5',
      /problems\.json: 11: want an answer from 0 to 2, got 5$/,
    ],
    [
      "vizwiz",
      "vizwiz",
      "Annotations/val.json",
      '"answers"',
      '"answer_list"',
      /val\.json: \[0\]\.answers: want a list.*, got nothing/,
    ],
    [
      "okvqa",
      "okvqa",
      "mscoco_val2014_annotations.json",
      '"question_id": 225',
      '"question_id": 226',
      /questions\.json: questions\[1\]: want answers to question 225 in .*, got none$/,
    ],
    [
      "refcoco+",
      "refer",
      "refcoco+/instances.json",
      '"id": 3,',
      '"id": 4,',
      /refs\(unc\)\.p: \[2\]: want the annotation 3 in .*instances\.json, got none$/,
    ],
    [
      "coco",
      "coco",
      "annotations/captions_val2014.json",
      '"image_id": 42',
      '"image_id": 99',
      /captions_val2014\.json: annotations\[3\]: want a picture of the file, got 99$/,
    ],
    [
      "flickr30k",
      "flickr30k/tokens",
      "results_20130124.token",
      "1001.jpg#0\t",
      "1001.jpg ",
      /results_20130124\.token:4: want PICTURE#NUMBER, a tab and a caption/,
    ],
    [
      "own",
      "own",
      "questions.jsonl",
      '"answer":"a sun"',
      '"respons":"a sun"',
      /questions\.jsonl:3: want answer, a text or several, got nothing$/,
    ],
    [
      "hm",
      "hateful_memes",
      "dev.jsonl",
      '"id":46971',
      '"id":8291',
      /dev\.jsonl:2: want an id of its own, got 8291, as .*dev\.jsonl:1 has$/,
    ],
  ] as const)("%s: %s/%s", async (name, folder, file, from, to, message) => {
    const data = await edited(folder, file, (text) => text.replace(from, to));
    const images = folder === "flickr30k/tokens" ? join(sets, "flickr30k") : undefined;
    await expect(readDataset(name, { data, images })).rejects.toThrow(message);
  });

  it("names what a set may look like where nothing of it is there", async () => {
    await expect(readDataset("vizwiz", { data: join(sets, "own") })).rejects.toThrow(
      /own: want vizwiz: Annotations\/val\.json, or Parquet .* \(splits val, train\), got none of these$/,
    );
  });

  it("refuses a split that is not there, and a folder that is not", async () => {
    await expect(readDataset("vsr", { data: join(sets, "vsr"), splits: ["dev"] })).rejects.toThrow(
      /splits test, dev, train\), got none of dev$/,
    );
    await expect(readDataset("vsr", { data: join(sets, "nowhere") })).rejects.toThrow(
      /nowhere: want a folder of data or a file of it, got no such file$/,
    );
  });

  it("reads the split that a file is, and none beside a file that is none", async () => {
    const data = await edited("vsr", "splits/zeroshot/test.jsonl", (text) => text);
    await cp(join(data, "splits/zeroshot/test.jsonl"), join(data, "dev.jsonl"));
    await cp(join(data, "splits/zeroshot/test.jsonl"), join(data, "splits/zeroshot/mine.jsonl"));
    expect(await readDataset("vsr", { data: join(data, "dev.jsonl") })).toHaveLength(4);
    await expect(
      readDataset("vsr", { data: join(data, "splits/zeroshot/mine.jsonl"), images: data }),
    ).rejects.toThrow(/mine\.jsonl: want vsr: zeroshot\/test\.jsonl, or Parquet/);
  });

  it("does not choose between two pictures of one name", async () => {
    const data = await edited("gqa", "testdev_balanced_questions.json", (text) => text);
    await cp(join(data, "images/n1.jpg"), join(data, "small/n1.jpg"));
    await expect(readDataset("gqa", { data })).rejects.toThrow(
      /: 201: want one picture n1\.jpg below .*, got images\/n1\.jpg and small\/n1\.jpg$/,
    );
  });

  it("follows links to where pictures really are", async () => {
    const data = await edited("vsr", "splits/zeroshot/test.jsonl", (text) => text);
    await rm(join(data, "images"), { recursive: true });
    await symlink(join(sets, "vsr/images"), join(data, "images"));
    expect(await readDataset("vsr", { data })).toHaveLength(4);
  });
});
