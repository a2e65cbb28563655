/** Pre-packed copies of a model's graphs: made while it answers, taken by the next load. */
import { readFile, readdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CopiesNews, CopiesState } from "@tinygptv/protocol";
import { copiesOf, createEngine, prepack, readManifest } from "tinygptv";
import { afterAll, beforeEach, expect, it } from "vitest";
import { convertFixture, temporaryFolder } from "../support/converted.ts";

const scratch = await temporaryFolder();
afterAll(scratch.remove);
let count = 0;
let folder: string;
const large = "phi/float32.onnx";

/** A model whose language model is said to be large: its file goes on in zeros that nothing reads. */
beforeEach(async () => {
  folder = await convertFixture("micro-stage4", join(scratch.path, `model-${count++}`));
  const manifest = await readManifest(folder);
  const data = manifest.files.find(({ path }) => path === `${large}.data`)!;
  data.bytes = 2 ** 27;
  await truncate(join(folder, data.path), data.bytes);
  await writeFile(join(folder, "manifest.json"), JSON.stringify(manifest));
});

const stateOf = async () => (await copiesOf(folder)).find(({ graph }) => graph === large)!.state;

/** Starts an engine, asks one question, and closes it when it is said of the copies what is waited for. */
async function askUntil(state: CopiesState) {
  const heard: CopiesNews[] = [];
  const settled = Promise.withResolvers<void>();
  const engine = createEngine({
    models: [folder],
    onCopies(news) {
      heard.push(news);
      if (news.state === state) settled.resolve();
    },
  });
  try {
    const tokens: number[] = [];
    const request = { rounds: [{ prompt: "What is it?" }], decoding: { maxNewTokens: 8 } };
    for await (const event of engine.generate(request, []))
      if (event.type === "token") tokens.push(event.token.id);
    await settled.promise;
    return { tokens, heard, known: engine.status().copies };
  } finally {
    await engine.close();
  }
}

it("are made after the first load, and there for the next", { timeout: 60_000 }, async () => {
  expect(await stateOf()).toBe("missing");
  const first = await askUntil("ready");
  expect(first.heard.map(({ state }) => state)).toEqual(["making", "ready"]);
  expect(first.known).toEqual({ "micro:fp32": "ready" });
  expect(await stateOf()).toBe("ready");
  const second = await askUntil("ready");
  expect(second.heard.map(({ state }) => state)).toEqual(["ready"]);
  expect(second.tokens).toEqual(first.tokens);
});

it("are given up where they cannot be written, which is said", async () => {
  await writeFile(join(folder, ".prepacked"), "a file where the folder should be");
  const { tokens, heard } = await askUntil("missing");
  expect(tokens).toHaveLength(8);
  expect(heard.at(-1)).toMatchObject({
    model: "micro:fp32",
    reason: expect.stringContaining(".prepacked"),
  });
});

it("can be made before the first load, and say how far they are", async () => {
  const told: { done: number; total: number }[] = [];
  const copies = await prepack(folder, { onProgress: (progress) => told.push(progress) });
  expect(copies.map(({ graph, state }) => [graph, state])).toEqual([
    ["vision/float32.onnx", "useless"],
    ["qformer/float32.onnx", "useless"],
    ["mapping/float32.onnx", "useless"],
    [large, "ready"],
  ]);
  expect(told[0]).toMatchObject({ graph: large, done: 0, total: copies[3]!.bytes });
  const [entry] = await readdir(join(folder, ".prepacked"));
  expect(await readFile(join(folder, ".prepacked", entry!, "seal.json"), "utf8")).toContain(
    "graph.onnx.data",
  );
});
