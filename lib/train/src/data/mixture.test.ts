import { expect, test } from "vitest";
import type { Example } from "./example.ts";
import { openMixture, type Mixture, type MixtureSpec } from "./mixture.ts";
import { mixtureOf } from "../settings/plan.ts";
import { readRunFile, stageRunFile } from "../settings/runFile.ts";
import { fixture } from "./testing/fixtures.ts";
import { stageWordings } from "./wording.ts";

const own = (name: string, data: string, ratio: number, batchSize: number): MixtureSpec => ({
  name,
  format: "own",
  data: fixture(`own/${data}`),
  ratio,
  batchSize,
  wording: stageWordings[4],
});
const rows = own("rows", "rows", 115, 2);
const llava = own("llava", "llava", 14, 1);
const captions = own("captions", "captions", 71, 2);

async function take(mixture: Mixture, steps: number): Promise<Example[][]> {
  const batches: Example[][] = [];
  for (let i = 0; i < steps; i++) batches.push(await mixture.next());
  return batches;
}
const places = (batches: readonly Example[][]) =>
  batches.map((batch) => batch.map(({ place }) => place));

test("a step is a batch of one set, in that set's size and a stage's form", async () => {
  const mixture = await openMixture([rows, llava], 42);
  const sizes = { "train.jsonl": 2, "train.json[": 1 };
  for (const batch of await take(mixture, 50)) {
    const file = Object.keys(sizes).find((name) => batch[0]!.place.startsWith(name));
    expect(batch.every(({ place }) => place.startsWith(file!))).toBe(true);
    expect(batch).toHaveLength(sizes[file as keyof typeof sizes]);
  }
  const only = await openMixture([llava], 42);
  const [[first], [second], [third]] = (await take(only, 3)) as [[Example], [Example], [Example]];
  const conversation = [first, second, third].find(({ place }) => place === "train.json[0]");
  expect(conversation).toEqual({
    place: "train.json[0]",
    picture: fixture("own/llava/red.png"),
    rounds: [
      {
        prompt: '[INST] <Img><ImageHere></Img> What is "this", [here]?  [/INST]',
        answer: "A square.",
      },
      { prompt: "[INST] Of which colour?  [/INST]", answer: "Red." },
    ],
    endSymbol: "###",
    maxAnswerTokens: 1024,
  });
});

test("10,000 steps of stage 4 are within 2 % of the ratios of its twenty sets", async () => {
  const settings = await readRunFile(stageRunFile(4), [
    "model=m",
    "out=o",
    `dataRoot=${fixture("")}`,
  ]);
  // The small sets have not enough for the published batches.
  const specs = mixtureOf(settings).map((spec) => ({ ...spec, batchSize: 1 }));
  expect(specs).toHaveLength(20);
  const mixture = await openMixture(specs, settings.seed);
  await take(mixture, 10_000);
  const { sets } = mixture.state();
  for (const { name, ratio } of specs) {
    // Their ratios add up to 690.
    const share = ratio / 690;
    const difference = Math.abs(sets[name]!.batches / 10_000 - share);
    expect(difference).toBeLessThan(0.02);
    // Of a rare set that says nothing; chance keeps it within four deviations.
    expect(difference).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / 10_000));
  }
});

test("a pass has every sample once, but what is left behind its last whole batch; passes differ", async () => {
  const mixture = await openMixture([{ ...rows, batchSize: 1 }], 42);
  const orders: string[][] = [];
  for (let pass = 0; pass < 6; pass++) orders.push(places(await take(mixture, 5)).flat());
  const all = ["train.jsonl:1", "train.jsonl:2", "train.jsonl:4", "train.jsonl:5", "train.jsonl:6"];
  for (const order of orders) expect(order.toSorted()).toEqual(all);
  expect(new Set(orders.map(String)).size).toBeGreaterThan(1);

  // Of five samples two batches of two are a pass: four different ones.
  const pairs = await openMixture([rows], 42);
  for (let pass = 0; pass < 6; pass++)
    expect(new Set(places(await take(pairs, 2)).flat()).size).toBe(4);
});

test("the same seed gives the same batches, another one others", async () => {
  const batches = async (seed: number) => take(await openMixture([rows, captions], seed), 30);
  expect(await batches(42)).toEqual(await batches(42));
  expect(places(await batches(42))).not.toEqual(places(await batches(43)));
});

test("what was stopped goes on as if it had not been", async () => {
  const specs = [rows, llava, captions];
  const whole = await take(await openMixture(specs, 42), 60);
  for (const steps of [0, 1, 17]) {
    const stopped = await openMixture(specs, 42);
    await take(stopped, steps);
    const state: unknown = JSON.parse(JSON.stringify(stopped.state()));
    const resumed = await openMixture(specs, 42);
    await resumed.restore(state);
    expect(await take(resumed, 60 - steps)).toEqual(whole.slice(steps));
  }
});

test("a state is of one seed and the same data", async () => {
  const mixture = await openMixture([rows], 42);
  const state = mixture.state();
  const other = await openMixture([rows, llava], 42);
  await expect(other.restore(state)).rejects.toThrow(
    "want the sets of the saved state (rows), got llava, rows",
  );
  const reseeded = await openMixture([rows], 43);
  await expect(reseeded.restore(state)).rejects.toThrow(
    "want the seed of the saved state (42), got 43",
  );
  const grown = { ...state, sets: { rows: { batches: 0, length: 6 } } };
  await expect(mixture.restore(grown)).rejects.toThrow(
    "rows: want 6 samples, as when the state was saved, got 5",
  );
  await expect(mixture.restore({ step: -1 })).rejects.toThrow("the state of the data: ");
});

test.each([
  [[], "want at least one set, got none"],
  [[rows, rows], "rows: want a name for each set, got two sets of this one"],
  [[{ ...rows, ratio: 0 }], "rows: ratio: want a number above 0, got 0"],
  [[{ ...rows, batchSize: 1.5 }], "rows: batchSize: want a whole number from 1, got 1.5"],
  [[{ ...rows, batchSize: 6 }], "rows: want at least the 6 samples of a batch, got 5"],
])("a mixture that cannot be: %#", async (specs, message) => {
  await expect(openMixture(specs, 42)).rejects.toThrow(message);
});

test("stage 3 draws one of its four instructions for a whole batch", async () => {
  const mixture = await openMixture([{ ...captions, wording: stageWordings[3] }], 42);
  const prompts = (await take(mixture, 100)).map((batch) => {
    const [first, second] = batch.map(({ rounds }) => rounds[0]!.prompt);
    expect(first).toBe(second);
    return first;
  });
  expect(new Set(prompts)).toEqual(
    new Set([
      "###Human: <Img><ImageHere></Img> Describe this image in detail. ###Assistant: ",
      "###Human: <Img><ImageHere></Img> Take a look at this image and describe what you notice. ###Assistant: ",
      "###Human: <Img><ImageHere></Img> Please provide a detailed description of the picture. ###Assistant: ",
      "###Human: <Img><ImageHere></Img> Could you describe the contents of this image for me? ###Assistant: ",
    ]),
  );
});

test("stages 1 and 2 show the picture alone and end with a line break", async () => {
  const mixture = await openMixture([{ ...captions, wording: stageWordings[1] }], 42);
  const [[example]] = (await take(mixture, 1)) as [[Example]];
  expect(example.rounds[0]?.prompt).toBe("<ImageHere>");
  expect(example).toMatchObject({ endSymbol: "\n", maxAnswerTokens: 32 });
});
