/** Levels of a model folder: written together, added later, interrupted, opened and asked. */
import { cpSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convert } from "../../lib/convert/src/convert.ts";
import { quantizeModel } from "../../lib/convert/src/quantizeModel.ts";
import { findSources } from "../../lib/convert/src/sources.ts";
import { openModel } from "../../lib/runtime/src/engine/openModel.ts";
import { openSession } from "../../lib/runtime/src/session/runtime.ts";
import { prepareCalibration } from "../../lib/evaluate/src/calibration.ts";
import { verify } from "../../lib/evaluate/src/verify/verify.ts";
import { readManifest } from "../../lib/model/src/readManifest.ts";
import type { GenerateEvent } from "../../lib/protocol/src/index.ts";
import { levelNames } from "../../lib/convert/src/quantize/registry.ts";
import { fixture, temporaryFolder } from "../support/converted.ts";

const gallery = fileURLToPath(new URL("../../models/nano/gallery", import.meta.url));
const plainLevels = levelNames.filter((name) => name !== "int4-gptq");

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
/** Every level, the calibrated one added afterwards. */
let model: string;

async function convertMicro(out: string, levels: readonly string[]): Promise<string> {
  const { paths, settings } = await findSources(fixture("micro-stage4"), {});
  await convert({ sources: paths, out, levels, openSession, ...(settings ? { settings } : {}) });
  return out;
}

beforeAll(async () => {
  folder = await temporaryFolder();
  model = await convertMicro(join(folder.path, "all"), plainLevels);
  const calibration = await prepareCalibration(model, { images: gallery, limit: 6 });
  await quantizeModel(model, ["int4-gptq"], { calibration, openSession });
});
afterAll(() => folder.remove());

const listing = async (path: string) =>
  (await readdir(path, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .toSorted();

async function answerOf(path: string, level: string): Promise<string> {
  const opened = await openModel(path, { level });
  try {
    let end: GenerateEvent | undefined;
    const request = { rounds: [{ prompt: "What do you see?" }], decoding: { maxNewTokens: 8 } };
    for await (const event of opened.generate(request, [await readFile(join(gallery, "dog.png"))]))
      end = event;
    if (end?.type !== "end") throw new Error("the stream ended without its end event");
    return end.hypotheses[0]!.text;
  } finally {
    await opened.close();
  }
}

describe("a folder with all levels", () => {
  it.each(levelNames)("answers at level %s", async (level) => {
    expect(await answerOf(model, level)).not.toBe("");
  });

  it("shares what is equal and has no file that no level uses", async () => {
    const manifest = await readManifest(model);
    const { int8, int4, auto } = manifest.levels;
    expect(Object.keys(manifest.levels)).toEqual([...plainLevels, "int4-gptq"]);
    expect(int4!.vision).toBe(int8!.vision);
    expect(auto!.mapping).toBe(int8!.mapping);
    expect(auto!.phi).not.toBe(int4!.phi);
    const named = manifest.files.map(({ path }) => path);
    expect(await listing(model)).toEqual([...named, "manifest.json"].toSorted());
  });

  it.each([
    ["int8", 0.7],
    ["int4", 0.5],
  ])("%s takes at most a share of fp32's language model", async (level, share) => {
    const manifest = await readManifest(model);
    const size = (name: string) =>
      manifest.files.find(({ path }) => path === `${manifest.levels[name]!.phi}.data`)!.bytes;
    expect(size(level)).toBeLessThan(share * size("fp32"));
  });
});

it("verify finds a level as near to the golden data as its precision allows", async () => {
  const path = join(folder.path, "bin");
  const given = { phi: fixture("micro-stage4", "phi-2-bin") };
  const { paths, settings } = await findSources(fixture("micro-stage4"), given);
  const levels = ["fp16", "int8"];
  await convert({
    sources: paths,
    out: path,
    levels,
    openSession,
    ...(settings ? { settings } : {}),
  });
  const golden = fixture("micro-stage4", "golden-bin.json");
  const logitsOf = async (level: string) => {
    const { stages, cases } = await verify({ golden, model: path, level });
    const tokenization = cases.find(({ kind }) => kind === "tokenization")!;
    expect(tokenization.failed).toBe(0);
    return stages.find(({ stage }) => stage === "prompt0.prefill_last_logits")!;
  };
  const [fp16, int8] = [await logitsOf("fp16"), await logitsOf("int8")];
  expect(fp16.difference).toBeLessThan(0.01);
  expect(int8.difference).toBeGreaterThan(fp16.difference);
  expect(int8.passed).toBe(false);
});

describe("quantize", () => {
  it("makes from float16 what convert makes, up to the rounding of float16", async () => {
    const path = await convertMicro(join(folder.path, "half"), ["fp16"]);
    const manifest = await quantizeModel(path, ["int8", "auto"], { openSession });
    expect(Object.keys(manifest.levels)).toEqual(["fp16", "int8", "auto"]);
    expect(manifest).toEqual(await readManifest(path));
    expect(manifest.levels.auto).toEqual((await readManifest(model)).levels.auto);
    expect(await answerOf(path, "int8")).toBe(await answerOf(model, "int8"));
  });

  it("makes levels again where asked to, and removes the old files", async () => {
    const path = join(folder.path, "again");
    cpSync(model, path, { recursive: true });
    await expect(quantizeModel(path, ["int4"], { openSession })).rejects.toMatchObject({
      code: "model",
    });
    const manifest = await quantizeModel(path, ["int4"], { openSession, replace: true });
    const named = manifest.files.map(({ path: name }) => name);
    expect(await listing(path)).toEqual([...named, "manifest.json"].toSorted());
    expect(manifest.levels.int4!.phi).toBe("phi/int4-b128.2.onnx");
    expect(await answerOf(path, "int4")).toBe(await answerOf(model, "int4"));
  });

  it("leaves the folder as it was when aborted", async () => {
    const path = await convertMicro(join(folder.path, "aborted"), ["fp32"]);
    const before = await listing(path);
    const controller = new AbortController();
    const work = quantizeModel(path, ["int8", "int4"], {
      openSession,
      signal: controller.signal,
      onProgress: ({ component, activity }) => {
        if (component === "phi" && activity === "writing") controller.abort();
      },
    });
    await expect(work).rejects.toMatchObject({ code: "aborted" });
    expect(await listing(path)).toEqual(before);
  });

  it("leaves a model that works, and can be quantized, when it dies on the way", async () => {
    const path = await convertMicro(join(folder.path, "dying"), ["fp32"]);
    const dead = join(folder.path, "dead");
    await quantizeModel(path, ["int4"], {
      openSession,
      onProgress: ({ component, done, total }) => {
        // What a crash at this moment would leave.
        if (component === "phi" && done < total)
          cpSync(path, dead, { recursive: true, force: true });
      },
    });
    expect(await listing(dead)).toContain("phi/int4-b128.onnx.data");
    expect(Object.keys((await readManifest(dead)).levels)).toEqual(["fp32"]);
    expect(await answerOf(dead, "fp32")).toBe(await answerOf(model, "fp32"));
    await quantizeModel(dead, ["int4"], { openSession });
    expect(await answerOf(dead, "int4")).toBe(await answerOf(model, "int4"));
  });

  it("does not overwrite what someone else did meanwhile", async () => {
    const path = await convertMicro(join(folder.path, "shared"), ["fp32"]);
    let other: Promise<unknown> | undefined;
    const work = quantizeModel(path, ["int4"], {
      openSession,
      onProgress: () => {
        other ??= quantizeModel(path, ["fp16"], { openSession });
      },
    });
    await other;
    const outcomes = await Promise.allSettled([work, other]);
    const levels = Object.keys((await readManifest(path)).levels);
    const refused = outcomes.filter((outcome) => outcome.status === "rejected");
    expect(levels).toHaveLength(3 - refused.length);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: "conflict" });
  });

  it.each([
    [
      ["int3"],
      "level: want one of fp32, fp16, int8, int4, int4-b32, int4-gptq, page, auto, got int3",
    ],
    [["int4-gptq"], "level int4-gptq: want questions about pictures to calibrate with, got none"],
  ])("refuses %j", async (levels, message) => {
    await expect(quantizeModel(model, levels, { openSession })).rejects.toThrow(message);
  });

  it("wants fp32 or fp16 to start from", async () => {
    const path = await convertMicro(join(folder.path, "small"), ["int8"]);
    await expect(quantizeModel(path, ["int4"], { openSession })).rejects.toThrow(
      "want the level fp32 or fp16 to start from, got only int8",
    );
  });
});
