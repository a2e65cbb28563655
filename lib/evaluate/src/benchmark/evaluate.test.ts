import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BenchmarkName } from "./benchmarks.ts";
import { evaluate, type EvaluateOptions } from "./evaluate.ts";
import { scripted } from "./testing/scripted.ts";

const sets = fileURLToPath(new URL("../../../../test/fixtures/eval/", import.meta.url));

let scratch = "";
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "tinygptv-evaluate-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const newFolder = () => mkdtemp(join(scratch, "run-"));

async function scoresOf(
  benchmark: BenchmarkName,
  folder: string,
  answers: Parameters<typeof scripted>[0],
  options: Partial<EvaluateOptions> = {},
) {
  return evaluate({
    benchmark,
    data: join(sets, folder),
    out: await newFolder(),
    model: { name: "scripted" },
    answerer: scripted(answers),
    ...options,
  });
}

/** In thirds and hundredths a sum of floats may differ in its last digit. */
const close = (figures: Readonly<Record<string, number>>) =>
  Object.fromEntries(
    Object.entries(figures).map(([name, figure]) => [name, Number(figure.toFixed(9))]),
  );

describe("scores are those computed by hand", () => {
  it.each(["vsr", "parquet/vsr"])("VSR, in %s", async (folder) => {
    const scores = await scoresOf("vsr", folder, {
      "apple is left": "True.", // true: a point
      "roof is under": "No, that is false", // false: a point for "false", another for "no"; the first word is right
      "sun is above": "I do not know", // true: neither word
      "apple contains": "yes", // false: neither; and wrong
    });
    expect(scores.figures).toEqual({ reference: 3 / 4, official: 2 / 4 });
    expect(scores.byType["under"]!.figures).toEqual({ reference: 2, official: 1 });
  });

  it.each(["gqa", "parquet/gqa"])("GQA, in %s", async (folder) => {
    const scores = await scoresOf("gqa", folder, {
      "What fruit": "An apple.", // contains the label, is not the label
      "Is the roof": "Yes.",
      "Is there a dog": "I know", // contains "no"
    });
    expect(close(scores.figures)).toEqual({ reference: 1, official: close({ x: 1 / 3 })["x"] });
    expect(close(scores.byType["verify"]!.figures)).toEqual({ reference: 1, official: 0.5 });
  });

  it.each(["iconqa/iconqa_data", "parquet/iconqa"])("IconVQA, in %s", async (folder) => {
    const scores = await scoresOf("iconvqa", folder, {
      "How many apples": [-2, -1, -3],
      "What colour": [-0.5, -0.7], // the second would be right
      "Is it day": [-1, -1], // of equal ones the first
    });
    expect(close(scores.figures)).toEqual(close({ official: 2 / 3 }));
  });

  it.each(["vizwiz", "parquet/vizwiz"])("VizWiz, in %s", async (folder) => {
    const scores = await scoresOf("vizwiz", folder, {
      "What is this": "Apples", // 6 equal, 2 contain it
      "What does it say": "", // contained in all: the reference gives it a point
      "What colour": "blue###Human: x", // 2 equal, 5 contain it
    });
    // Officially: 1; the one empty answer 9/10 · 1/3; two of ten (2 · 1/3 + 8 · 2/3) / 10.
    expect(close(scores.figures)).toEqual(close({ reference: 1, official: (1 + 0.3 + 0.6) / 3 }));
  });

  it.each(["hateful_memes", "parquet/hateful_memes"])("Hateful Memes, in %s", async (folder) => {
    const scores = await scoresOf("hm", folder, {
      "mean saying": "Yes, it is.",
      "apple a day": "I don't know", // "know" has a "no"
      "home sweet": "It is not hateful.", // so has "not"
    });
    expect(close(scores.figures)).toEqual(close({ reference: 1, official: 1 / 3 }));
  });

  it.each(["okvqa", "parquet/okvqa"])("OK-VQA, in %s", async (folder) => {
    const scores = await scoresOf("okvqa", folder, {
      vitamin: "Assistant: Vitamin C.", // four of ten
      "How many people": "a family of 2",
    });
    expect(scores.figures).toEqual({ official: 0.5 });
  });

  it.each([
    ["refcoco", "refer"],
    ["refcoco", "parquet/refcoco"],
    ["refcoco+", "refer"],
  ] as const)("%s, in %s", async (name, folder) => {
    const scores = await scoresOf(name, folder, {
      "location of left apple": "{<9><29><40><70>}",
      "the apple on the left": "It is {<9><29><40><70>}", // not where the reference's script looks
      "right apple": "{<9><29><40><70>}", // the wrong one
      // 19.52 x 10.24 pixels in common, 409.6 in all: 0.488; with both ends counted 230.6 of 451.3: 0.511
      house: "{<12><41><43><63>}",
    });
    expect(scores.figures).toEqual({ reference: 0.5, official: 0.5 });
    expect(scores.byType).toEqual({
      testA: { count: 1, figures: { reference: 0, official: 0 } },
      testB: { count: 1, figures: { reference: 1, official: 0 } },
      val: { count: 2, figures: { reference: 0.5, official: 1 } },
    });
  });

  it("boxes of COCO's objects", async () => {
    const scores = await scoresOf("coco-detection", "coco", {
      apple: "<p>apple</p> {<9><29><40><70>}<delim>{<0><0><10><10>}", // one of two, and one that is none
      house: "<p>house</p> {<12><41><43><83>}",
    });
    expect(close(scores.figures)).toEqual(
      close({ "F1@0.5": 4 / 6, "precision@0.5": 2 / 3, "recall@0.5": 2 / 3 }),
    );
  });

  it.each([
    ["coco", "coco"],
    ["nocaps", "parquet/nocaps"],
    ["textcaps", "textcaps"],
  ] as const)("captions of %s, in %s", async (name, folder) => {
    // One picture after the other: the prompt is the same for all.
    const captions = [
      "Two red apples.",
      "A house, with a red roof!",
      "The sun above the green grass and a house",
    ];
    const answerer = {
      ...scripted({}),
      answer: async () => ({ text: captions.shift()!, finishReason: "stop" as const }),
    };
    const { figures } = await scoresOf(name, folder, {}, { answerer, batch: 1 });
    // coco-caption's figures of these words.
    expect(figures["CIDEr"]).toBeCloseTo(1.818353875, 8);
    expect(figures["BLEU-1"]).toBeCloseTo(0.833333333, 8);
    expect(figures["ROUGE-L"]).toBeCloseTo(0.7706648165, 8);
  });

  it("one's own questions", async () => {
    const scores = await scoresOf("own", "own", {
      "how many": "Two.",
      "where is": "{<12><41><43><83>}",
      "What is it": "sun",
    });
    expect(close(scores.figures)).toEqual(close({ judge: 1, exact: 1 / 3 }));
  });
});

describe("what is asked", () => {
  async function asked(benchmark: BenchmarkName, folder: string) {
    const requests: unknown[] = [];
    const answerer = {
      async answer(request: unknown) {
        requests.push(request);
        return { text: "x", finishReason: "stop" as const };
      },
      async score(request: { candidates: string[] }) {
        requests.push(request);
        return request.candidates.map(() => -1);
      },
    };
    await scoresOf(benchmark, folder, {}, { answerer, limit: 1 });
    return requests[0];
  }

  it("is the reference's prompt, greedily answered with its limit", async () => {
    expect(await asked("vsr", "vsr")).toEqual({
      rounds: [
        {
          prompt:
            "Based on the image, is this statement true or false? The apple is left of the apple.",
          images: 1,
        },
      ],
      task: "vqa",
      template: "evaluation",
      imageMode: "reference",
      decoding: { maxNewTokens: 20 },
    });
  });

  it("is a choice with the begin token in front", async () => {
    expect(await asked("iconvqa", "iconqa/iconqa_data")).toEqual({
      rounds: [
        {
          prompt:
            "<|endoftext|>###Human: <Img><ImageHere></Img> [vqa] Based on the image, respond to this question with a short answer: How many apples are there? ###Assistant: ",
          images: 1,
        },
      ],
      template: "raw",
      imageMode: "reference",
      candidates: ["1", "2", "3"],
      endSymbol: "\n",
    });
  });

  it("has no task tag for memes", async () => {
    expect(await asked("hm", "hateful_memes")).toMatchObject({
      rounds: [
        {
          prompt:
            "This is an image writting 'a mean saying'. Is this image hateful? Answer yes or no. Answer:",
        },
      ],
    });
  });
});

describe("a run", () => {
  const answers = {
    "apple is": "True.",
    "roof is": "false",
    "sun is": "true",
    "apple contains": "no",
  };
  const options = (out: string): EvaluateOptions => ({
    benchmark: "vsr",
    data: join(sets, "vsr"),
    out,
    model: { name: "scripted", level: "fp32" },
    answerer: scripted(answers),
    batch: 2,
  });
  const filesOf = (folder: string) =>
    Promise.all(
      ["answers.jsonl", "scores.json"].map((name) => readFile(join(folder, name), "utf8")),
    );

  it("that was stopped goes on, and ends byte for byte as one that was not", async () => {
    const whole = await newFolder();
    await evaluate(options(whole));

    const stopped = await newFolder();
    let count = 0;
    const failing = scripted(answers, () => {
      if (++count === 3) throw new Error("out of power");
    });
    await expect(evaluate({ ...options(stopped), answerer: failing })).rejects.toThrow(
      "out of power",
    );
    expect(JSON.parse((await filesOf(stopped))[1]!)).not.toHaveProperty("scores");
    // Killed in the middle of a line.
    await appendFile(join(stopped, "answers.jsonl"), '{"id":"2","image":"ima');
    const asked: string[] = [];
    const progress: number[] = [];
    await evaluate({
      ...options(stopped),
      answerer: scripted(answers, (prompt) => void asked.push(prompt)),
      onProgress: (done) => progress.push(done),
    });
    expect(asked).toHaveLength(2);
    expect(progress).toEqual([2, 3, 4]);
    expect(await filesOf(stopped)).toEqual(await filesOf(whole));
  });

  it("that is finished is scored again without a question", async () => {
    const out = await newFolder();
    const scores = await evaluate(options(out));
    const answerer = scripted({}, () => {
      throw new Error("asked");
    });
    expect(await evaluate({ ...options(out), answerer })).toEqual(scores);
  });

  it("writes answers in the order of the questions, however long each takes", async () => {
    const out = await newFolder();
    let wait = 40;
    const slow = scripted(
      answers,
      () => new Promise((resolve) => setTimeout(resolve, (wait -= 10))),
    );
    await evaluate({ ...options(out), answerer: slow, batch: 4 });
    const [lines] = await filesOf(out);
    expect(
      lines!
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { id: string }).id),
    ).toEqual(["0", "1", "2", "3"]);
  });

  it("is not mixed with one of other settings, or of other questions", async () => {
    const out = await newFolder();
    await evaluate(options(out));
    await expect(
      evaluate({ ...options(out), model: { name: "scripted", level: "int4" } }),
    ).rejects.toThrow(
      /want a run with model \{.*"fp32"\} to go on with, got \{.*"int4"\}; choose another folder/,
    );
    await expect(evaluate({ ...options(out), limit: 2 })).rejects.toThrow(/want a run with data /);
    const path = join(out, "answers.jsonl");
    const [first, ...rest] = (await readFile(path, "utf8")).split("\n");
    await writeFile(path, [...rest.slice(0, -1), first, ""].join("\n"));
    await expect(evaluate(options(out))).rejects.toThrow(
      /answers\.jsonl:1: want an answer to 0, got one to 1$/,
    );
  });

  it("names the line that was damaged", async () => {
    const out = await newFolder();
    await evaluate(options(out));
    const path = join(out, "answers.jsonl");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace('"answer":"false"', '"answer":false'));
    await expect(evaluate(options(out))).rejects.toThrow(
      /answers\.jsonl:2: answer: want a text, got false$/,
    );
    await truncate(path, 0);
    await evaluate(options(out));
    expect(await readFile(path, "utf8")).toBe(text);
  });

  it("ends at once when it is told to, and keeps what it has", async () => {
    const out = await newFolder();
    const controller = new AbortController();
    let count = 0;
    const answerer = scripted(answers, () => {
      if (++count === 2) controller.abort();
    });
    await expect(
      evaluate({ ...options(out), answerer, batch: 1, signal: controller.signal }),
    ).rejects.toMatchObject({ code: "aborted" });
    expect((await readFile(join(out, "answers.jsonl"), "utf8")).split("\n")).toHaveLength(2);
  });

  it("takes questions evenly where there is a limit", async () => {
    const out = await newFolder();
    await evaluate({ ...options(out), limit: 2 });
    const [lines] = await filesOf(out);
    expect(lines!.match(/"id":"\d"/g)).toEqual(['"id":"0"', '"id":"2"']);
  });
});
