import { describe, expect, test } from "vitest";
import { openDataSet } from "../data/dataSets.ts";
import { learningRate } from "../schedule.ts";
import { evaluationsOf, mixtureOf, regimeOf, scheduleOf, wordingOf } from "./plan.ts";
import { parseRunFile, readRunFile, stageRunFile } from "./runFile.ts";

const fixtures = new URL("../../../../test/fixtures/train", import.meta.url).pathname;
const set = ["model=tiny", "out=run", `dataRoot=${fixtures}`];
const stage = (number: 1 | 2 | 3 | 4) => readRunFile(stageRunFile(number), set);
const settings = (...changes: string[]) =>
  parseRunFile("{model: m, out: o, steps: 12, rate: 1e-3, data: [{path: a}]}", "run.yaml", changes);

describe("the reference's own settings", () => {
  const lora = { rank: 64, alpha: 16, dropout: 0.05 };
  test.each([
    [1, { lora: undefined, dropout: 0.1 }, "\n", 32, [1, 5000], [1e-6, 1e-4, 8e-5, 1000]],
    [2, { lora, dropout: 0.1 }, "\n", 32, [4, 5000], [1e-6, 1e-4, 8e-5, 5000]],
    [3, { lora, dropout: 0.1 }, "###", 160, [5, 200], [1e-6, 3e-5, 1e-5, 200]],
    [4, { lora, dropout: 0.1 }, "###", 1024, [50, 1000], [1e-6, 1e-5, 8e-5, 1000]],
  ] as const)("of stage %i", async (number, regime, end, limit, length, rates) => {
    const found = await stage(number);
    expect(found.stage).toBe(number);
    expect(regimeOf(found)).toEqual(regime);
    expect(wordingOf(found)).toMatchObject({ endSymbol: end, maxAnswerTokens: limit });
    const [epochs, stepsPerEpoch] = length;
    const [start, peak, final, warmupSteps] = rates;
    const schedule = { start, peak, final, warmupSteps, epochs, stepsPerEpoch };
    expect(scheduleOf(found)).toEqual(schedule);
    expect(found).toMatchObject({
      weightDecay: 0.05,
      betas: [0.9, 0.999],
      accumulate: 1,
      seed: 42,
    });
    expect(found.clip).toBeUndefined();
    expect(learningRate(scheduleOf(found), 0, 0)).toBe(1e-6);
  });

  test.each([
    [1, ["laion 64 115", "cc_sbu 64 14"]],
    [2, ["laion 64 115", "cc_sbu 64 14"]],
    [3, ["cc_sbu_align 6 1"]],
    [
      4,
      [
        "multitask_conversation 1 50",
        "llava_conversation 1 30",
        "unnatural_instruction 1 10",
        "refvg 3 40",
        "llava_detail 2 20",
        "llava_reason 2 80",
        "flickr_grounded_caption 1 80",
        "flickr_CaptionToPhrase 1 80",
        "flickr_ObjectToPhrase 1 80",
        "textcaps_caption 3 30",
        "refcoco 3 25",
        "refcocop 3 25",
        "refcocog 3 25",
        "invrefcoco 3 10",
        "invrefcocop 3 10",
        "invrefcocog 3 10",
        "coco_vqa 3 15",
        "ok_vqa 3 8",
        "aok_vqa 3 12",
        "gqa 3 50",
      ],
    ],
  ] as const)("mix the data of stage %i", async (number, sets) => {
    const mixture = mixtureOf(await stage(number));
    expect(mixture.map(({ name, batchSize, ratio }) => `${name} ${batchSize} ${ratio}`)).toEqual(
      sets,
    );
    for (const { name, format } of mixture) expect(format).toBe(name);
  });

  test("find the data of stages 3 and 4 in the folders that they name", async () => {
    const all = [...mixtureOf(await stage(3)), ...mixtureOf(await stage(4))];
    const kinds = await Promise.all(all.map(async (spec) => (await openDataSet(spec)).kind));
    expect(kinds).toEqual(Array.from({ length: 21 }, () => "listed"));
  });

  test("want to be told the model and where to go", async () => {
    await expect(readRunFile(stageRunFile(4))).rejects.toThrow(/model: want .*\n.*out: want/);
  });
});

test("a replay has its share of the steps, however the sets within it and beside it are weighted", () => {
  const mixture = mixtureOf(
    settings(
      "data=[{path: a, ratio: 1}, {path: b, ratio: 3}]",
      "replay={share: 0.2, data: [{path: c, ratio: 10}, {path: d, ratio: 30}]}",
    ),
  );
  expect(mixture.map(({ name }) => name)).toEqual(["a", "b", "c", "d"]);
  for (const [i, ratio] of [0.2, 0.6, 0.05, 0.15].entries())
    expect(mixture[i]!.ratio).toBeCloseTo(ratio, 12);
});

test("without the reference's schedule the rate is one; without its start it is the peak", () => {
  expect(learningRate(scheduleOf(settings()), 0, 11)).toBe(1e-3);
  const schedule = scheduleOf(settings("rate={peak: 1e-3, final: 0}"));
  expect(schedule).toMatchObject({ start: 1e-3, warmupSteps: 0, epochs: 1, stepsPerEpoch: 12 });
  expect(learningRate(schedule, 0, 6)).toBeCloseTo(5e-4, 12);
});

test("stage and LoRA may be chosen apart", () => {
  expect(regimeOf(settings()).lora).toEqual({ rank: 64, alpha: 16, dropout: 0.05 });
  expect(regimeOf(settings("stage=1")).lora).toBeUndefined();
  expect(regimeOf(settings("lora=false")).lora).toBeUndefined();
  expect(regimeOf(settings("stage=1", "lora={rank: 4}")).lora).toMatchObject({
    rank: 4,
    alpha: 16,
  });
  expect(wordingOf(settings("stage=3", "endSymbol='.'", "maxAnswerTokens=9"))).toMatchObject({
    template: "###Human: {} ###Assistant: ",
    endSymbol: ".",
    maxAnswerTokens: 9,
  });
});

describe("evaluations", () => {
  test("are those that the settings name", async () => {
    const found = await evaluationsOf(
      settings("evaluate={limit: 7, data: [{name: old, path: old.jsonl}]}", "dataRoot=/data"),
    );
    expect(found).toMatchObject([
      { name: "old", format: "own", data: "/data/old.jsonl", limit: 7 },
    ]);
  });

  test("or the valid files beside one's own data", async () => {
    const found = await evaluationsOf(
      settings(`dataRoot=${fixtures}`, "data=[{path: own/rows}, {path: own/captions}]"),
    );
    expect(found).toMatchObject([{ name: "rows", data: `${fixtures}/own/rows/valid.jsonl` }]);
  });
});

test("paths of data begin from dataRoot, where they do not begin from the root of all", () => {
  const [one, other] = mixtureOf(
    settings("dataRoot=/data", "data=[{path: [a, b], images: i}, {path: /c}]"),
  );
  expect(one).toMatchObject({ data: ["/data/a", "/data/b"], images: "/data/i" });
  expect(other!.data).toBe("/c");
});
