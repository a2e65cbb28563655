/** What quantization costs on the nano model, and what it must not change. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convert } from "../../lib/convert/src/convert.ts";
import { quantizeModel } from "../../lib/convert/src/quantizeModel.ts";
import { findSources } from "../../lib/convert/src/sources.ts";
import { prepareCalibration } from "../../lib/evaluate/src/calibration.ts";
import { compare, type ComparedSubject } from "../../lib/evaluate/src/compare/compare.ts";
import { openSession } from "../../lib/runtime/src/session/runtime.ts";
import { openLanguage } from "../../lib/evaluate/src/compare/parts.ts";
import type { Component } from "../../lib/model/src/manifest.ts";
import { readManifest } from "../../lib/model/src/readManifest.ts";
import { temporaryFolder } from "../support/converted.ts";

const nano = (path: string) => fileURLToPath(new URL(`../../models/nano/${path}`, import.meta.url));

const questions = nano("eval/eval.jsonl");
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let model: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  model = join(folder.path, "nano");
  const { paths, settings } = await findSources(nano("checkpoint"), {});
  const levels = ["fp32", "fp16", "int8", "int4", "int4-b32", "page", "auto"];
  await convert({
    sources: paths,
    out: model,
    levels,
    openSession,
    name: "nano",
    ...(settings && { settings }),
  });
  const calibration = await prepareCalibration(model, { images: nano("gallery") });
  await quantizeModel(model, ["int4-gptq"], { calibration, openSession });
});
afterAll(() => folder.remove());

describe("compared with fp32 on 24 questions of the evaluation", () => {
  const subjects = new Map<string, ComparedSubject>();
  beforeAll(async () => {
    const report = await compare({ models: [model], questions, limit: 24 });
    for (const subject of report.subjects) subjects.set(subject.name, subject);
  });
  const at = (name: string) => subjects.get(`nano:${name}`)!;
  const divergence = (name: string) => at(name).agreement.klDivergence.mean;

  it("fp32 agrees with itself", () => {
    const { agreement, features } = at("fp32");
    expect(agreement).toMatchObject({ sameTop: 1, equalAnswers: { count: 24, of: 24 } });
    expect(agreement.firstDivergence).toBeNull();
    expect(agreement.klDivergence.p99).toBeLessThan(1e-5);
    expect(features.min).toBeCloseTo(1, 6);
  });

  it.each([
    // level, KL at most, same top token at least, feature cosine at least
    ["fp16", 1e-5, 0.99, 0.99999],
    ["int8", 0.001, 0.95, 0.999],
    ["page", 0.002, 0.93, 0.999],
    ["auto", 0.003, 0.92, 0.999],
    ["int4-b32", 0.006, 0.88, 0.999],
    ["int4", 0.01, 0.88, 0.999],
    ["int4-gptq", 0.006, 0.88, 0.999],
  ])("%s stays close", (level, kl, top, cosine) => {
    expect(divergence(level)).toBeLessThan(kl);
    expect(at(level).agreement.sameTop).toBeGreaterThan(top);
    expect(at(level).features.min).toBeGreaterThan(cosine);
    expect(at(level).correct.of).toBe(24);
    expect(Math.abs(at(level).correct.count - at("fp32").correct.count)).toBeLessThanOrEqual(3);
  });

  it("orders the levels: more bits, closer; calibrated closer than rounded to nearest", () => {
    expect(divergence("fp16")).toBeLessThan(divergence("int8"));
    expect(divergence("int8")).toBeLessThan(divergence("auto"));
    expect(divergence("auto")).toBeLessThan(divergence("int4"));
    expect(divergence("int4-gptq")).toBeLessThan(0.9 * divergence("int4"));
  });
});

it("tells apart what single modules cost", async () => {
  const models = [`${model}:int4`];
  const { subjects } = await compare({ models, questions, limit: 12, modules: true });
  const at = (name: string) => subjects.find((subject) => subject.name === `nano:${name}`)!;
  expect(subjects.map(({ name }) => name)).toEqual([
    "nano:fp32",
    "nano:int4",
    "nano:fp32 + vision int8-dynamic",
    "nano:fp32 + qformer int8-b64",
    "nano:fp32 + mapping int8-b64",
    "nano:fp32 + phi int4-b128",
  ]);
  const [vision, phi] = [at("fp32 + vision int8-dynamic"), at("fp32 + phi int4-b128")];
  expect(phi.features.min).toBeCloseTo(1, 6);
  expect(vision.features.min).toBeLessThan(0.99999);
  expect(vision.agreement.klDivergence.mean).toBeLessThan(phi.agreement.klDivergence.mean);
});

it.each(["fp32", "fp16", "int8", "int4", "int4-b32", "int4-gptq", "page", "auto"])(
  "%s gives a row bit for bit the same logits alone and beside others, in even and in odd numbers",
  async (level) => {
    const manifest = await readManifest(model);
    const files = manifest.levels[level] as Record<Component, string>;
    const { model: language, close } = await openLanguage({ folder: model, manifest, files });
    try {
      const texts = [[5, 80, 300], [7, 9, 11, 2000, 4], [1, 900, 33, 8], [2]];
      const run = async (tokens: readonly number[][]) => {
        const rows = tokens.map((one) => ({
          sequence: language.create(),
          input: { tokens: one },
          logits: "last" as const,
        }));
        const prefilled = (await language.forward(rows)).map((logits) => logits.slice());
        const next = rows.map((row) => ({ ...row, input: { tokens: [42] } }));
        const stepped = (await language.forward(next)).map((logits) => logits.slice());
        for (const { sequence } of rows) language.release(sequence);
        return prefilled.map((logits, i) => [logits, stepped[i]!]);
      };
      const alone: Float32Array[][] = [];
      for (const text of texts) alone.push((await run([text]))[0]!);
      for (const count of [2, 3, 4])
        expect(await run(texts.slice(0, count))).toEqual(alone.slice(0, count));
      // More than a kernel takes at once, and one more.
      const many = Array.from({ length: 17 }, (_, i) => i % texts.length);
      expect(await run(many.map((i) => texts[i]!))).toEqual(many.map((i) => alone[i]));
    } finally {
      await close();
    }
  },
);
