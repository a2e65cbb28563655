import { cp, mkdir, mkdtemp, readFile, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { quantizeGraph } from "../../../convert/src/quantize/quantize.ts";
import { GraphBuilder } from "@tinygptv/graph";
import { writeModel } from "@tinygptv/graph/disk";
import type { Graph } from "@tinygptv/graph";
import { findCopy, makeCopy } from "./prepacked.ts";
import { openSession } from "./runtime.ts";

const width = 256;
/** What the graph is said to take: enough for a copy to be worth it. */
const large = 2 ** 27;

async function writeLinear(path: string, quantize = (graph: Graph) => graph): Promise<void> {
  const g = new GraphBuilder("linear");
  const x = g.input("x", "float32", ["rows", width]);
  const weight = g.initializer({
    name: "weight",
    dtype: "float32",
    shape: [width, width],
    load: async () =>
      new Uint8Array(new Float32Array(width * width).map((_, i) => (i % 7) - 3).buffer),
  });
  g.output("y", g.at("layer").op("MatMul", [x, weight]));
  await writeModel(path, quantize(g.build()));
}

async function run(path: string): Promise<Float32Array> {
  const session = await openSession(path, { threads: 1 });
  const data = new Float32Array(width).map((_, i) => i % 5);
  const { y } = await session.run({ x: { dtype: "float32", shape: [1, width], data } }, ["y"]);
  await session.release();
  return y!;
}

describe("a pre-packed copy", { timeout: 60_000 }, () => {
  let root: string;
  let graph: string;
  const placeOf = ({ fingerprint = "one", bytes = large } = {}) => ({
    folder: join(root, "copies"),
    name: "linear",
    fingerprint,
    bytes,
  });
  /** Makes it where it is missing. @returns the path to open */
  const copyOf = async (which?: Parameters<typeof placeOf>[0]) => {
    const state = await makeCopy(graph, placeOf(which));
    const found = await findCopy(placeOf(which));
    expect(found.state).toBe(state);
    return found.path ?? graph;
  };
  const entries = () => readdir(join(root, "copies"));

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "tinygptv-prepacked-"));
    graph = join(root, "linear.onnx");
    await writeLinear(graph);
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it("computes the same, and is found again", async () => {
    expect(await findCopy(placeOf())).toEqual({ state: "missing" });
    const copy = await copyOf();
    expect(copy).not.toBe(graph);
    expect(await run(copy)).toEqual(await run(graph));
    expect(await copyOf()).toBe(copy);
  });

  it("is made once by two who want it at the same time", async () => {
    const [a, b] = await Promise.all([copyOf(), copyOf()]);
    expect(a).toBe(b);
    expect(await entries()).toHaveLength(1);
    expect(await run(a)).toEqual(await run(graph));
  });

  it.each(["graph.onnx", "graph.onnx.data", "seal.json"])(
    "is made anew where %s was cut short",
    async (name) => {
      const copy = await copyOf();
      const damaged = join(dirname(copy), name);
      const whole = (await readFile(damaged)).length;
      await truncate(damaged, Math.floor(whole / 2));
      expect(await copyOf()).toBe(copy);
      expect((await readFile(damaged)).length).toBe(whole);
    },
  );

  it("is made anew where its weights were overwritten", async () => {
    const copy = await copyOf();
    const whole = await run(copy);
    await writeFile(`${copy}.data`, new Uint8Array((await readFile(`${copy}.data`)).length));
    expect(await run(await copyOf())).toEqual(whole);
  });

  it("gives way to that of another version", async () => {
    const first = await copyOf({ fingerprint: "one" });
    const second = await copyOf({ fingerprint: "two" });
    expect(second).not.toBe(first);
    expect(await entries()).toHaveLength(1);
  });

  it.each([32, 64, 128] as const)(
    "is used only where 8-bit weights in blocks of %i compute the same",
    async (blockSize) => {
      const layers = { kind: "blockwise", format: { bits: 8, blockSize } } as const;
      await writeLinear(graph, (float) => quantizeGraph(float, { layers }));
      const chosen = await copyOf();
      expect(await run(chosen)).toEqual(await run(graph));
      expect(await copyOf()).toBe(chosen);
    },
  );

  it("takes along what a process that was killed has left of it", async () => {
    const left = `linear-0123456789abcdef.partial.${2 ** 22 + 1}.${hostname()}.01234567`;
    await mkdir(join(root, "copies", left), { recursive: true });
    await copyOf();
    expect(await entries()).toHaveLength(1);
  });

  it("leaves the copies of graphs whose name is longer", async () => {
    await makeCopy(graph, { ...placeOf(), name: "linear-b32" });
    await copyOf();
    expect(await entries()).toHaveLength(2);
  });

  it("is not made of what is small", async () => {
    expect(await copyOf({ bytes: 1000 })).toBe(graph);
  });

  it("says why it cannot be made, and leaves nothing", async () => {
    await expect(makeCopy(graph, placeOf({ bytes: 2 ** 50 }))).rejects.toMatchObject({
      code: "io",
      message: expect.stringMatching(/want \d+ bytes of free disk space .* linear, got \d+$/),
    });
    await writeFile(graph, "no graph");
    await expect(makeCopy(graph, placeOf())).rejects.toMatchObject({
      code: "model",
      message: expect.stringContaining(`${graph}: ONNX Runtime cannot load it`),
    });
    expect(await entries()).toEqual([]);
    await rm(join(root, "copies"), { recursive: true });
    await cp(graph, join(root, "copies")); // a file where the folder should be
    await expect(makeCopy(graph, placeOf())).rejects.toMatchObject({ code: "io" });
  });

  it("ends when it is told to, and leaves nothing", async () => {
    const signal = AbortSignal.timeout(50);
    await expect(makeCopy(graph, placeOf(), { signal })).rejects.toMatchObject({ code: "aborted" });
    expect(await entries()).toEqual([]);
  });
});
