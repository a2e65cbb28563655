import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GraphBuilder } from "@tinygptv/graph";
import { readModel, writeModel } from "@tinygptv/graph/disk";
import type { Graph } from "@tinygptv/graph";
import { openSession } from "../../../runtime/src/session/runtime.ts";
import { storeFloat16, widenFloat16 } from "./float16.ts";
import { linearLayers } from "@tinygptv/network";
import { quantizeGraph } from "./quantize.ts";
import { recipeName, type Method, type Recipe } from "./registry.ts";

let folder: string;
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), "quantize-"))));
afterAll(() => rm(folder, { recursive: true }));

const values = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin(seed + i * 1.7) * Math.cos(seed * i));

/** Two linear layers, the first with a bias; 75 inputs are no whole number of blocks. */
function network(): Graph {
  const g = new GraphBuilder("network");
  const x = g.input("x", "float32", ["batch", 75]);
  const constant = (name: string, shape: number[], seed: number) =>
    g.initializer({
      name,
      dtype: "float32",
      shape,
      load: async () =>
        new Uint8Array(
          values(
            shape.reduce((a, b) => a * b, 1),
            seed,
          ).buffer,
        ),
    });
  const h = g.op("MatMul", [x, constant("a.weight", [75, 40], 1)], { label: "a" });
  const biased = g.op("Add", [h, constant("a.bias", [40], 2)]);
  g.stage("hidden", biased);
  const y = g.op("MatMul", [biased, constant("phi.head.weight", [40, 20], 3)], { label: "head" });
  g.output("y", y);
  return g.build();
}

async function run(graph: Graph, name: string): Promise<Float32Array> {
  const path = join(folder, `${name}.onnx`);
  await writeModel(path, graph);
  const session = await openSession(path);
  const x = { dtype: "float32" as const, shape: [3, 75], data: values(225, 9) };
  return (await session.run({ x }, ["y"]).finally(() => session.release()))["y"]!;
}

function relativeError(got: Float32Array, want: Float32Array): number {
  const energy = (v: Float32Array) => v.reduce((sum, one) => sum + one * one, 0);
  return Math.sqrt(energy(got.map((one, i) => one - want[i]!)) / energy(want));
}

const blockwise = (bits: 4 | 8, blockSize: 32 | 64 | 128): Method => ({
  kind: "blockwise",
  format: { bits, blockSize },
});

describe("a quantized graph computes what the graph computes", () => {
  const cases: [Recipe, number][] = [
    [{ layers: { kind: "float32" } }, 0],
    [{ layers: { kind: "float16" } }, 0.001],
    [{ layers: { kind: "dynamic", fallback: { bits: 8, blockSize: 64 } } }, 0.03],
    [{ layers: blockwise(8, 32) }, 0.02],
    [{ layers: blockwise(8, 128) }, 0.02],
    [{ layers: blockwise(4, 32) }, 0.2],
    [{ layers: blockwise(4, 128), head: blockwise(8, 32) }, 0.2],
  ];
  it.each(cases.map(([recipe, limit]) => ({ name: recipeName(recipe), recipe, limit })))(
    "$name, up to $limit",
    async ({ name, recipe, limit }) => {
      const want = await run(network(), "want");
      const got = await run(quantizeGraph(network(), recipe), name);
      expect(relativeError(got, want)).toBeLessThanOrEqual(limit);
      expect(Buffer.from(got.buffer).equals(Buffer.from(want.buffer))).toBe(limit === 0);
    },
  );
});

it("falls back to blocks where inputs have outliers", () => {
  const recipe: Recipe = { layers: { kind: "dynamic", fallback: { bits: 8, blockSize: 64 } } };
  const graph = quantizeGraph(network(), recipe, { outliers: new Set(["a"]) });
  expect(graph.nodes.map(({ op }) => op)).toEqual(["MatMulNBits", "DynamicQuantizeMatMul"]);
});

it("wants calibrated weights for a calibrated layer", () => {
  const recipe: Recipe = { layers: { kind: "calibrated", format: { bits: 4, blockSize: 128 } } };
  expect(() => quantizeGraph(network(), recipe)).toThrow("a: want a calibrated weight, got none");
});

it("holds one weight at a time: each is read when its turn to be written comes", async () => {
  const log: string[] = [];
  const graph = network();
  const logged = new Map(
    [...graph.initializers].map(([name, one]) => [
      name,
      { ...one, load: () => (log.push(name), one.load()) },
    ]),
  );
  const quantized = quantizeGraph({ ...graph, initializers: logged }, { layers: blockwise(4, 32) });
  expect(log).toEqual([]);
  const path = join(folder, "logged.onnx");
  await writeModel(path, quantized, { onBytes: () => log.push("written") });
  expect(log).toEqual([
    "a.weight",
    "written",
    "written",
    "a.bias",
    "written",
    "phi.head.weight",
    "written",
    "written",
  ]);
});

describe("half precision", () => {
  it("comes back as float32 with the same layers, rounded once", async () => {
    const path = join(folder, "half.onnx");
    await writeModel(path, storeFloat16(network()));
    const widened = widenFloat16(await readModel(path));
    expect(linearLayers(widened).map(({ name }) => name)).toEqual(["a", "phi.head"]);
    const again = await run(widened, "widened");
    expect(again).toEqual(await run(storeFloat16(network()), "half2"));
  });

  it("refuses weights beyond its range by name", async () => {
    const graph = network();
    const weight = graph.initializers.get("a.weight")!;
    const large = {
      ...weight,
      load: async () => new Uint8Array(new Float32Array(3000).fill(7e4).buffer),
    };
    const half = storeFloat16({
      ...graph,
      initializers: new Map([...graph.initializers, ["a.weight", large]]),
    });
    await expect(writeModel(join(folder, "large.onnx"), half)).rejects.toThrow(
      "a.weight: want weights that fit float16 (below 65520), got 70000",
    );
  });
});
