/**
 * Adapters beside a model, chosen by request: what each answers is what the model with it merged
 * in answers, alone and among others, and who asks for none has what there was before.
 */
import { cp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addAdapter, convert, findSources, mergeTrained } from "../../lib/convert/src/index.ts";
import { readModel, writeModel } from "../../lib/graph/src/disk.ts";
import type { Graph, Initializer } from "../../lib/graph/src/graph.ts";
import type { GenerateEvent, Hypothesis } from "../../lib/protocol/src/events.ts";
import { initialMoments } from "../../lib/train/src/adamw.ts";
import { readStageFile, writeStageFile } from "../../lib/train/src/results/stageFile.ts";
import { compare } from "../../lib/evaluate/src/index.ts";
import { createEngine } from "../../lib/runtime/src/engine/supervisor.ts";
import { listModels, openModel } from "../../lib/runtime/src/engine/openModel.ts";
import { openSession } from "../../lib/runtime/src/session/runtime.ts";
import type { Model } from "../../lib/runtime/src/model.ts";
import { fixture, temporaryFolder } from "../support/converted.ts";
import { addRandomAdapter, randomWeights } from "../support/randomAdapter.ts";

const nanoFolder = fileURLToPath(new URL("../../models/nano/", import.meta.url));

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let nano: string;
/** Of random numbers; one of LoRA alone. */
const adapters = {
  first: { seed: 1, rank: 8 },
  second: { seed: 2, rank: 3, mapping: true, norms: true },
};
/** The model with one of them merged in. */
const merged = (name: string) => join(folder.path, `merged-${name}`);
let picture: Uint8Array;

beforeAll(async () => {
  folder = await temporaryFolder();
  nano = join(folder.path, "nano");
  await cp(join(nanoFolder, "converted"), nano, { recursive: true });
  await rm(join(nano, "adapters"), { recursive: true, force: true });
  for (const [name, options] of Object.entries(adapters)) {
    await addRandomAdapter(nano, name, options);
    const weights = await randomWeights(nano, options);
    await mergeTrained(
      nano,
      merged(name),
      { weights, alpha: 8 },
      { name: "merged", source: { file: "random", bytes: 0 }, levels: ["fp32"], openSession },
    );
  }
  const [line] = (await readFile(join(nanoFolder, "eval/eval.jsonl"), "utf8")).split("\n");
  const { image } = JSON.parse(line!) as { image: string };
  picture = await readFile(join(nanoFolder, "eval", image));
});
afterAll(() => folder.remove());

/** Tokens with log-probabilities, of a whole answer. */
async function answer(events: AsyncIterable<GenerateEvent>) {
  let end: GenerateEvent | undefined;
  for await (const event of events) end = event;
  if (end?.type !== "end") throw new Error("want an end, got none");
  return end.hypotheses.map(({ tokens }: Hypothesis) =>
    tokens.map(({ id, logprob }) => [id, logprob] as const),
  );
}
const question = (prompt: string) => ({
  rounds: [{ prompt, images: 1 }],
  decoding: { maxNewTokens: 12, topLogprobs: 1 },
});
const ask = (model: Model, prompt: string, adapter?: string) =>
  answer(model.generate(question(prompt), [picture], { adapter }));

function expectClose(
  got: Awaited<ReturnType<typeof answer>>,
  want: Awaited<ReturnType<typeof answer>>,
  most: number,
) {
  expect(got[0]!.map(([id]) => id)).toEqual(want[0]!.map(([id]) => id));
  got[0]!.forEach(([, logprob], i) =>
    expect(Math.abs(logprob! - want[0]![i]![1]!)).toBeLessThan(most),
  );
}

describe("beside float32 it answers as the model with it merged in, to 1e-5", () => {
  it("made of random numbers", async () => {
    for (const name of Object.keys(adapters)) {
      const whole = await openModel(merged(name));
      const beside = await openModel(nano, { level: "fp32", adapter: name });
      for (const prompt of ["What is it?", "Describe the picture in detail, please."])
        expectClose(await ask(beside, prompt), await ask(whole, prompt), 1e-5);
      const scores = async (model: Model) => {
        const given = { rounds: question("What is it?").rounds, candidates: ["a dog", "an apple"] };
        const { candidates } = await model.score(given, [picture]);
        return candidates.map(({ meanLogprob }) => meanLogprob);
      };
      const [got, want] = [await scores(beside), await scores(whole)];
      got.forEach((mean, i) => expect(Math.abs(mean - want[i]!)).toBeLessThan(1e-5));
      await Promise.all([whole.close(), beside.close()]);
    }
  });

  it("as the stages trained it, from a stage file", async () => {
    const numHeads = 4;
    const stageFile = fixture("micro-stage4", "TinyGPT-V_for_Stage4.pth");
    const trained = await readStageFile(stageFile, numHeads);
    const untrained = trained
      .filter(({ name }) => !/lora[AB]$/.test(name))
      .map((parameter) => ({ ...parameter, values: parameter.values.map((value) => 2 * value) }));
    const path = await writeStageFile(folder.path, {
      parameters: untrained,
      moments: initialMoments(untrained),
      numHeads,
      rate: 0,
      weightDecay: 0,
      config: {},
      epoch: 0,
    });
    const models = [];
    for (const [name, checkpoint] of Object.entries({ whole: stageFile, base: path })) {
      const { paths, settings } = await findSources(fixture("micro-stage4"), { checkpoint });
      const out = join(folder.path, name);
      await convert({ sources: paths, settings: settings!, out, name, levels: ["fp32"] });
      models.push(out);
    }
    const weights = trained.map(({ name, shape, values }) => ({
      name,
      shape,
      load: async () => values,
    }));
    const source = { file: "stage.pth", bytes: 1 };
    await addAdapter(models[1]!, { weights, alpha: 16 }, { name: "stage4", source });
    const whole = await openModel(models[0]!);
    const beside = await openModel(models[1]!, { adapter: "stage4" });
    expectClose(await ask(beside, "What is it?"), await ask(whole, "What is it?"), 1e-5);
    await Promise.all([whole.close(), beside.close()]);
  });
});

it("who asks for none has, bit for bit, what a model without adapters answers", async () => {
  for (const level of ["fp32", "int8", "int4"]) {
    const alone = await openModel(join(nanoFolder, "converted"), { level });
    const beside = await openModel(nano, { level });
    const before = await ask(beside, "What is it?");
    await ask(beside, "What is it?", "first");
    const after = await ask(beside, "What is it?");
    const want = await ask(alone, "What is it?");
    expect(before).toEqual(want);
    expect(after).toEqual(want);
    await Promise.all([alone.close(), beside.close()]);
  }
});

it("is compared as any level is, and against the model with it merged in makes no difference", async () => {
  const questions = join(nanoFolder, "eval/eval.jsonl");
  const models = [merged("second"), `${nano}:fp32+second`, `${nano}:fp32`];
  const { subjects } = await compare({ models, questions, limit: 6, maxTokens: 8 });
  expect(subjects.map(({ name }) => name)).toEqual([
    "merged:fp32",
    "nano:fp32+second",
    "nano:fp32",
  ]);
  const [, beside, plain] = subjects;
  expect(beside!.agreement.equalAnswers).toEqual({ count: 6, of: 6 });
  expect(beside!.features.min).toBeCloseTo(1, 5);
  expect(plain!.agreement.equalAnswers.count).toBeLessThan(6);
  expect(plain!.features.min).toBeLessThan(0.9);
});

it("is listed with each level, and found by the name of the model", async () => {
  const listed = await listModels(nano);
  expect(listed.map(({ id }) => id)).toEqual([
    "nano:fp32",
    "nano:int8",
    "nano:int4",
    ...["fp32", "int8", "int4"].flatMap((level) =>
      ["first", "second"].map((name) => `nano:${level}+${name}`),
    ),
  ]);
  const [fp32, , , first] = listed;
  expect(first).toMatchObject({ name: "nano", level: "fp32", adapter: "first", loaded: false });
  expect(first!.memoryBytes).toBeGreaterThan(fp32!.memoryBytes);
});

it("an answer depends on nobody beside it, whatever adapter they ask for", async () => {
  const models = ["", "+first", "+second"].map((adapter) => `nano:int8${adapter}`);
  const prompts = [
    "What is it?",
    "What colour is it? ".repeat(8),
    "Is there a dog?",
    "What is it?",
  ];
  const ways = [
    { topLogprobs: 1 },
    { method: "beam", numBeams: 3 },
    { method: "sample", seed: 7, topLogprobs: 1 },
    { topLogprobs: 1 },
  ] as const;
  const calls = prompts.flatMap((prompt, i) =>
    models.map((model) => ({ prompt, model, way: ways[i]! })),
  );
  const run = (
    engine: ReturnType<typeof createEngine>,
    { prompt, model, way }: (typeof calls)[0],
  ) => {
    const { rounds } = question(prompt);
    const decoding = { ...way, maxNewTokens: 12 };
    return answer(engine.generate({ rounds, decoding }, [picture], { model }));
  };

  const alone = [];
  for (const call of calls) {
    const engine = createEngine({ models: [nano] });
    alone.push(await run(engine, call));
    await engine.close();
  }
  expect(new Set(alone.slice(0, 3).map((one) => JSON.stringify(one))).size).toBe(3);
  const engine = createEngine({ models: [nano] });
  for (let round = 0; round < 3; round++) {
    const together = await Promise.all(calls.map((call) => run(engine, call)));
    expect(together).toEqual(alone);
  }
  await engine.close();
});

it("one that is put beside a model while it is served is there, and what takes its place is used", async () => {
  const engine = createEngine({ models: [nano] });
  const ids = async () => (await engine.models()).map(({ id }) => id);
  const run = (model: string) =>
    answer(engine.generate(question("What is it?"), [picture], { model }));
  await run("nano:fp32");
  expect(await ids()).not.toContain("nano:fp32+late");
  await addRandomAdapter(nano, "late", adapters.first);
  expect(await ids()).toContain("nano:fp32+late");
  expect(await run("nano+late")).toEqual(await run("nano+first"));
  await rm(join(nano, "adapters/late"), { recursive: true });
  await addRandomAdapter(nano, "late", adapters.second);
  expect(await run("nano+late")).toEqual(await run("nano+second"));
  await rm(join(nano, "adapters/late"), { recursive: true });
  await expect(run("nano+late")).rejects.toThrow(
    "model: want one of nano:fp32, nano:int8, nano:int4, nano:fp32+first",
  );
  await engine.close();
});

describe("what does not fit is refused", () => {
  const refused = (weights: Awaited<ReturnType<typeof randomWeights>>) =>
    addAdapter(nano, { weights, alpha: 8 }, { name: "refused", source: { file: "x", bytes: 1 } });
  const zeros = (name: string, shape: number[]) => ({
    name,
    shape,
    load: async () => new Float32Array(shape.reduce((a, b) => a * b, 1)),
  });
  const qkv = "phi.layers.0.attention.qkv";
  it.each([
    ["another width", [zeros(`${qkv}.loraA`, [4, 80])], `${qkv}.loraA: want [4,256], got [4,80]`],
    ["half a LoRA", [zeros(`${qkv}.loraA`, [4, 256])], `want ${qkv}.loraB of rank 4 beside it`],
    [
      "two ranks",
      [zeros(`${qkv}.loraA`, [4, 256]), zeros(`${qkv}.loraB`, [768, 5])],
      `${qkv}.loraA: want ${qkv}.loraB of rank 4 beside it, got rank 5`,
    ],
    ["another norm", [zeros("phi.norm.weight", [80])], "phi.norm.weight: want [256], got [80]"],
    ["a layer too many", [zeros("phi.layers.6.norm.weight", [256])], "phi.layers.6.norm.weight"],
    ["frozen weights", [zeros("phi.head.weight", [2304, 256])], "which no adapter of this model"],
    ["a Q-Former", [zeros("qformer.norm.weight", [8])], "got qformer.norm.weight"],
  ])("when it is put beside a model: %s", async (_, weights, message) => {
    await expect(refused(weights)).rejects.toThrow(message);
    expect((await listModels(nano)).some(({ adapter }) => adapter === "refused")).toBe(false);
  });

  it("when it is opened, by tensor", async () => {
    const path = join(nano, "adapters/first/phi.onnx");
    const graph = await readModel(path);
    const a = graph.initializers.get(`${qkv}.loraA`)!;
    const narrow: Initializer = { ...a, shape: [8, 256] };
    await cp(join(nano, "adapters/first"), join(nano, "adapters/narrow"), { recursive: true });
    const changed: Graph = {
      ...graph,
      initializers: new Map(
        await Promise.all(
          Array.from(new Map(graph.initializers).set(a.name, narrow), async ([name, one]) => {
            const bytes = await one.load();
            return [name, { ...one, load: async () => bytes }] as const;
          }),
        ),
      ),
    };
    await writeModel(join(nano, "adapters/narrow/phi.onnx"), changed);
    await expect(openModel(nano, { adapter: "narrow" })).rejects.toThrow(
      `adapters/narrow: ${qkv}.loraA: want float32 [256, rank] as the model has it, got float32 [8, 256]`,
    );
    await rm(join(nano, "adapters/narrow"), { recursive: true });
  });

  it("where there is no such one, naming those there are", async () => {
    await expect(openModel(nano, { adapter: "third" })).rejects.toThrow(
      "adapter: want one of first, second, got third",
    );
    await expect(openModel(join(nanoFolder, "converted"), { adapter: "third" })).rejects.toThrow(
      "got third",
    );
  });

  it("where it is there already, unless it may be replaced", async () => {
    await expect(addRandomAdapter(nano, "first", { seed: 3 })).rejects.toThrow(
      "want a path where nothing is",
    );
  });
});
