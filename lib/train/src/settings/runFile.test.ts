import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseRunFile, readRunFile } from "./runFile.ts";

const least = `
model: nano
data:
  - path: greetings
steps: 10
rate: 1e-3
out: run
`;
const read = (text: string, ...changes: string[]) => parseRunFile(text, "run.yaml", changes);

test("the least that is to be said, and what holds where nothing is", () => {
  expect(read(least)).toEqual({
    model: "nano",
    level: "fp32",
    stage: 4,
    prompts: "training",
    dropout: 0,
    data: [{ path: "greetings", format: "own", batch: 1, ratio: 1 }],
    steps: 10,
    rate: 0.001,
    weightDecay: 0.05,
    betas: [0.9, 0.999],
    accumulate: 1,
    seed: 42,
    rowsAtOnce: 4,
    frozen: "stored",
    evaluate: { every: 100, limit: 100 },
    save: { every: 100, keep: 2 },
    out: "run",
    resume: false,
  });
});

test.each([
  ["rate=3e-4", { rate: 3e-4 }],
  ["rate={ peak: 1, final: 0 }", { rate: { peak: 1, final: 0, warmup: 0 } }],
  ["lora.rank=8", { lora: { rank: 8, alpha: 16, dropout: 0.05 } }],
  ["lora=false", { lora: false }],
  ["data.0.batch=4", { data: [{ path: "greetings", format: "own", batch: 4, ratio: 1 }] }],
  ["resume=true", { resume: true }],
  ["out=a=b", { out: "a=b" }],
  [
    "checkpoint={folder: nano, file: checkpoint_0.pth}",
    { checkpoint: { file: "checkpoint_0.pth" } },
  ],
])("--set %s", (change, result) => {
  expect(read(least, change)).toMatchObject(result);
});

test("entries of lists are found by name, and later changes hold", () => {
  const text = least.replace(
    "- path: greetings",
    "- { name: old, path: a }\n  - { name: new, path: b }",
  );
  const { data } = read(text, "data.new.ratio=3", "data.new.ratio=4", "data.old.path=c");
  expect(data.map(({ path, ratio }) => [path, ratio])).toEqual([
    ["c", 1],
    ["b", 4],
  ]);
});

test("what a file lacks can be set, inside what it lacks, too", () => {
  const settings = read(least, "replay.data=[{path: old}]", "replay.share=0.25");
  expect(settings.replay).toMatchObject({ share: 0.25, data: [{ path: "old" }] });
});

test.each([
  ["batchSize: 8", "run.yaml:8: batchSize: want one of model, level", ""],
  ["learningRate: 8", "run.yaml:8: learningRate: want one of", " (did you mean rate?)"],
  ["weight_decay: 0", "weight_decay: want one of", " (did you mean weightDecay?)"],
  ["leval: fp16", "leval: want one of", " (did you mean level?)"],
  [
    "lora: { rnk: 4 }",
    "lora.rnk: want one of rank, alpha, dropout, got 4",
    " (did you mean rank?)",
  ],
  [
    "evaluate: { evry: 4 }",
    "evaluate.evry: want one of every, limit, data, got 4",
    " (did you mean every?)",
  ],
  ["zzz: 1", "run.yaml:8: zzz: want one of", ""],
])("%s is refused by name, with the nearest that is known", (line, message, ending) => {
  const error = errorOf(() => read(`${least}${line}\n`));
  expect(error).toContain(message);
  const [suggested = ""] = / \(did you mean .*$/.exec(error) ?? [];
  expect(suggested).toBe(ending);
});

test.each([
  [["rate=fast"], "run.yaml (--set): rate: want a number"],
  [["data.0.ratio=0"], "run.yaml (--set): data[0].ratio: want a number above 0, got 0"],
  [["data.0.format=vqa2"], "data[0].format: want one of own, cc_sbu_align"],
  [["level"], '--set: want KEY=VALUE, got "level"'],
  [["model.x=1"], "--set model.x: want a key below model, got a value there"],
  [["stage=5"], "run.yaml (--set): stage: want one of 1, 2, 3, 4, got 5"],
  [
    ["replay={share: 1, data: [{path: a}]}"],
    "replay.share: want a number above 0 and below 1, got 1",
  ],
  [["betas=[0.9, 1]"], "betas[1]: want a number from 0, below 1, got 1"],
  [["data.old.batch=1"], "--set data.old.batch: want one of 0, got old"],
  [["level={"], "--set level: want YAML, got"],
  [["epochs=2"], "steps: want steps, or epochs and stepsPerEpoch, got both"],
  [["steps=~"], "steps: want"],
])("--set %j is refused", (changes, message) => {
  expect(() => read(least, ...changes)).toThrow(message);
});

test.each([
  ["model: [", "run.yaml:1: want YAML, got"],
  ["model: a\nmodel: b\n", "run.yaml:2: want YAML, got Map keys must be unique"],
  ["", "run.yaml: want settings, got an empty file"],
  ["just words", "run.yaml:1: the file: want an object, got"],
  [least.replace("steps: 10", ""), "steps: want steps, or epochs and stepsPerEpoch, got none"],
  [least.replace("steps: 10", "epochs: 3"), "stepsPerEpoch: want the steps of each of 3 epochs"],
  [least.replace("model: nano", ""), "run.yaml: model: want"],
])("%j is refused", (text, message) => {
  expect(() => read(text)).toThrow(message);
});

test("several mistakes are told at once, each with its line", () => {
  const error = errorOf(() => read(least.replace("steps: 10", "steps: 0").replace("1e-3", "-1")));
  expect(error).toMatch(/run\.yaml:5: steps: want .*, got 0\nrun\.yaml:6: rate: want .*, got -1/);
});

test("a file is read from the disk; a missing one is an error of its own", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tinygptv-run-"));
  await writeFile(join(folder, "run.yaml"), least);
  expect(await readRunFile(join(folder, "run.yaml"), ["seed=7"])).toMatchObject({ seed: 7 });
  await expect(readRunFile(join(folder, "missing.yaml"))).rejects.toThrow("no such file");
  await rm(folder, { recursive: true });
});

function errorOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}
