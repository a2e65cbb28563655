/** Whole trainings: they learn, go on bit for bit, keep what was good, and what they give is what they were. */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convert } from "../../lib/convert/src/convert.ts";
import { findSources } from "../../lib/convert/src/sources.ts";
import { readManifest } from "../../lib/model/src/readManifest.ts";
import { graphsOf, openOn, openParts } from "../../lib/runtime/src/parts.ts";
import { openNetwork, type Network } from "../../lib/train/src/network.ts";
import { writeStageFile } from "../../lib/train/src/results/stageFile.ts";
import { batchOf, encodeExample } from "../../lib/train/src/rows.ts";
import type { TrainingPlan } from "../../lib/train/src/plan.ts";
import { train, type TrainingEvent } from "../../lib/train/src/run.ts";
import { fromModel } from "../../lib/train/src/sources.ts";
import { openStepper } from "../../lib/train/src/step.ts";
import { convertFixture, fixture, temporaryFolder } from "../support/converted.ts";

const pictures = join(import.meta.dirname, "../../models/nano/eval/images");
const names = ["a000", "a001", "a002", "a003", "a004", "a005", "a006", "a007"];
const wording = {
  template: "[INST] {} [/INST]",
  captionInstructions: ["<ImageHere>"],
  endSymbol: "###",
  maxAnswerTokens: 100,
};

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let model: string;
let plan: TrainingPlan;
beforeAll(async () => {
  folder = await temporaryFolder();
  model = await convertFixture("micro-stage4", join(folder.path, "model"));
  const rows = names.map((name, i) => ({
    image: `${name}.png`,
    prompt: "<Img><ImageHere></Img> [vqa] which one?",
    answer: `this is number ${i}`,
  }));
  const data = join(folder.path, "rows.jsonl");
  await writeFile(data, rows.map((row) => JSON.stringify(row)).join("\n"));
  const set = { name: "rows", format: "own" as const, data, images: pictures, wording };
  plan = {
    model,
    level: "fp32",
    checkpoint: { folder: fixture("micro-stage4") },
    data: [{ ...set, ratio: 1, batchSize: 8 }],
    evaluate: [{ ...set, limit: 8 }],
    regime: { lora: { rank: 4, alpha: 16, dropout: 0.05 }, dropout: 0.1 },
    schedule: { start: 1e-3, peak: 1e-3, final: 1e-4, warmupSteps: 0, epochs: 2, stepsPerEpoch: 3 },
    weightDecay: 0.05,
    betas: [0.9, 0.999],
    accumulate: 1,
    rowsAtOnce: 4,
    recompute: true,
    storage: "stored",
    seed: 3,
    evaluateEvery: 3,
    saveEvery: 3,
    keep: 2,
    out: join(folder.path, "run"),
    resume: false,
    settings: { name: "test" },
  };
});
afterAll(() => folder.remove());

const valuesOf = ({ parameters }: Network) =>
  Object.fromEntries(parameters.map(({ name, values }) => [name, [...values]]));

describe("a training", () => {
  it("that was stopped goes on bit for bit", async () => {
    const whole = await train(plan);
    const parted = { ...plan, out: join(folder.path, "parted") };
    await train(parted, { atMost: 4 });
    const events: TrainingEvent[] = [];
    const rest = await train({ ...parted, resume: true }, { onEvent: (e) => void events.push(e) });
    expect(events.flatMap((event) => (event.type === "step" ? [event.step] : []))).toEqual([
      4, 5, 6,
    ]);
    expect(valuesOf(rest.network)).toEqual(valuesOf(whole.network));
    expect([...rest.moments]).toEqual([...whole.moments]);
    await expect(train(parted)).rejects.toThrow("want a folder without a training, or to go on");
  });

  it("learns eight pictures by heart", { timeout: 120_000 }, async () => {
    const schedule = { ...plan.schedule, start: 3e-3, peak: 3e-3, epochs: 1, stepsPerEpoch: 100 };
    const losses: number[] = [];
    const evaluated: TrainingEvent[] = [];
    await train(
      {
        ...plan,
        schedule,
        regime: { lora: { rank: 4, alpha: 16, dropout: 0 }, dropout: 0 },
        evaluateEvery: 100,
        saveEvery: 100,
        out: join(folder.path, "by heart"),
      },
      {
        onEvent(event) {
          if (event.type === "step") losses.push(event.loss);
          if (event.type === "evaluated") evaluated.push(event);
        },
      },
    );
    expect(losses[0]).toBeGreaterThan(5);
    expect(losses.at(-1)).toBeLessThan(0.05);
    expect(evaluated.at(-1)).toMatchObject({
      step: 100,
      evaluations: [{ name: "rows", examples: 8, right: 8 }],
    });
  });

  it("whose loss is no number ends, and what was saved stays", async () => {
    const out = join(folder.path, "lost");
    const schedule = { ...plan.schedule, start: 1e-3, peak: 1e30, final: 1e30, warmupSteps: 0 };
    const lost = train({ ...plan, out, schedule, saveEvery: 1 });
    await expect(lost).rejects.toThrow(/^step \d: want a loss and gradients that are numbers, got/);
    expect((await readdir(out)).filter((name) => name.startsWith("state-")).length).toBeGreaterThan(
      0,
    );
  });

  it("gives a stage file that the converter makes the trained model of", async () => {
    const { network, moments, rate } = await train({ ...plan, out: join(folder.path, "stage") });
    const results = join(folder.path, "results");
    await mkdir(results);
    const file = await writeStageFile(results, {
      parameters: network.parameters,
      numHeads: network.config.phi.numHeads,
      moments,
      rate,
      weightDecay: 0.05,
      config: {},
      epoch: 1,
    });
    const converted = join(folder.path, "converted");
    const { paths, settings } = await findSources(fixture("micro-stage4"), { checkpoint: file });
    await convert({ sources: paths, out: converted, name: "micro", ...(settings && { settings }) });
    const manifest = await readManifest(converted);
    const files = { folder: converted, manifest, files: graphsOf(manifest, "fp32") };
    const again = await openNetwork(await fromModel(files), { lora: undefined, dropout: 0 });

    const parts = await openParts(files, ["tokenizer", "embeddings"], { prepacked: false });
    const { numQueryTokens: Q, width } = manifest.config.qformer;
    const example = {
      place: "here",
      picture: "x",
      rounds: [{ prompt: "[INST] <Img><ImageHere></Img> what? [/INST]", answer: "a blue cat" }],
      endSymbol: "###",
      maxAnswerTokens: 100,
    };
    const batch = batchOf([encodeExample(example, parts.tokenizer, Q)]);
    const scores: Float32Array[] = [];
    for (const one of [network, again]) {
      const stepper = await openStepper(one, {
        open: openOn(),
        recomputes: true,
        picture: async () => Float32Array.from({ length: Q * width }, (_, i) => Math.sin(i)),
        embeddings: parts.embeddings,
      });
      scores.push((await stepper.score(batch)).logProbabilities);
      await stepper.close();
    }
    await parts.close();
    const [trained, read] = scores as [Float32Array, Float32Array];
    expect(trained.length).toBeGreaterThan(3);
    trained.forEach((value, i) => expect(Math.abs(value - read[i]!)).toBeLessThan(1e-5));
  });
});
