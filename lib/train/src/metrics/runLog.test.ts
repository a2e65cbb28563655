import { appendFile, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openRunLog } from "./runLog.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tinygptv-log-"));
});
afterEach(() => rm(folder, { recursive: true }));

const settings = { stage: 4, rate: { peak: 1e-5 } };
const now = () => 1_750_000_000_000;
const begin = { settings, step: 0, epoch: 0, now };
const figures = (step: number) => ({
  step,
  epoch: 0,
  loss: 1 / step,
  rate: 1e-4,
  norm: 3,
  tokens: 100,
  seconds: 0.5,
});
const linesOf = async (name: string) =>
  (await readFile(join(folder, name), "utf8")).trimEnd().split("\n");

test("steps and evaluations are objects, one a line", async () => {
  const log = await openRunLog(folder, begin);
  await log.step(figures(2));
  await log.evaluated({ step: 2, name: "old", loss: 0.75, examples: 8, right: 6 });
  await log.close();
  expect((await linesOf("metrics.jsonl")).map((line) => JSON.parse(line) as unknown)).toEqual([
    {
      step: 2,
      epoch: 0,
      loss: 0.5,
      lr: 1e-4,
      grad_norm: 3,
      tokens: 100,
      seconds: 0.5,
      tokens_per_second: 200,
      time: 1_750_000_000,
    },
    { step: 2, evaluation: "old", loss: 0.75, examples: 8, right: 6, time: 1_750_000_000 },
  ]);
});

test("TensorBoard's file has the same figures", async () => {
  const log = await openRunLog(folder, begin);
  await log.step(figures(2));
  await log.evaluated({ step: 2, name: "old", loss: 0.75, examples: 8, right: 6 });
  await log.close();
  const name = (await readdir(folder)).find((each) => each.startsWith("events."));
  expect(name).toMatch(/^events\.out\.tfevents\.1750000000\./);
  const text = await readFile(join(folder, name!), "latin1");
  for (const tag of ["train/loss", "train/lr", "evaluation/old/loss", "evaluation/old/right"])
    expect(text).toContain(tag);
});

test("log.txt has the settings, and then a line an epoch", async () => {
  const log = await openRunLog(folder, begin);
  await log.epoch({ rate: 1e-4, loss: 2.5 });
  await log.epoch({ rate: 9e-5, loss: 2.25 });
  await log.close();
  const text = await readFile(join(folder, "log.txt"), "utf8");
  expect(text.startsWith(JSON.stringify(settings, null, 4))).toBe(true);
  expect((await linesOf("log.txt")).slice(-2)).toEqual([
    '{"train_lr":0.0001,"train_loss":2.5}',
    '{"train_lr":0.00009,"train_loss":2.25}',
  ]);
});

test("what a killed process told of steps that were not saved is taken back", async () => {
  const first = await openRunLog(folder, begin);
  for (const step of [1, 2, 3, 4]) await first.step(figures(step));
  await first.epoch({ rate: 1, loss: 1 });
  await first.epoch({ rate: 2, loss: 2 });
  await first.close();
  await appendFile(join(folder, "metrics.jsonl"), '{"step":5,"epo');

  const second = await openRunLog(folder, { ...begin, settings: {}, step: 2, epoch: 1 });
  await second.step(figures(3));
  await second.epoch({ rate: 3, loss: 3 });
  await second.close();
  const steps = (await linesOf("metrics.jsonl")).map(
    (line) => (JSON.parse(line) as { step: number }).step,
  );
  expect(steps).toEqual([1, 2, 3]);
  const log = await readFile(join(folder, "log.txt"), "utf8");
  expect(log).toBe(
    `${JSON.stringify(settings, null, 4)}\n{"train_lr":1,"train_loss":1}\n{"train_lr":3,"train_loss":3}\n`,
  );
});

test("settings of no entries have their lines, too", async () => {
  const log = await openRunLog(folder, { ...begin, settings: {} });
  await log.epoch({ rate: 1, loss: 1 });
  await log.close();
  const again = await openRunLog(folder, { ...begin, epoch: 1 });
  await again.close();
  expect(await readFile(join(folder, "log.txt"), "utf8")).toBe(
    '{}\n{"train_lr":1,"train_loss":1}\n',
  );
});
