/** What the probe is, and what is said of graphs. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { GraphBuilder } from "@tinygptv/graph";
import { writeModel } from "@tinygptv/graph/disk";
import type { Graph, Initializer } from "@tinygptv/graph";
import { afterAll, expect, it } from "vitest";
import { encodeModel } from "../../../graph/src/onnx.ts";
import { temporaryFolder } from "../../../../test/support/converted.ts";
import { integerWeightsOf } from "./integerWeights.ts";
import { cutsOffSums, writePrepacked } from "./runtime.ts";
import { saturationProbe } from "./saturationProbe.ts";

const scratch = await temporaryFolder();
afterAll(scratch.remove);

const codes: Initializer = {
  name: "codes",
  dtype: "int8",
  shape: [4, 1],
  load: async () => new Uint8Array(4).fill(127),
};
const scales: Initializer = {
  name: "scales",
  dtype: "float32",
  shape: [1],
  load: async () => new Uint8Array(Float32Array.of(1).buffer),
};

function product(): Graph {
  const g = new GraphBuilder("saturation");
  const x = g.input("x", "float32", [1, 4]);
  g.output("y", g.op("DynamicQuantizeMatMul", [x, g.initializer(codes), g.initializer(scales)]));
  return g.build();
}

it("is the product of four ones by the largest weights", async () => {
  const inline = async ({ name, load }: Initializer) => [name, { inline: await load() }] as const;
  const stored = new Map(await Promise.all([codes, scales].map(inline)));
  const bytes = encodeModel(product(), stored);
  expect(Uint8Array.from(bytes)).toEqual(saturationProbe.graph);
});

it("tells graphs with one range for a layer's input from others", async () => {
  const path = join(scratch.path, "dynamic.onnx");
  await writeModel(path, product());
  const plain = join(scratch.path, "plain.onnx");
  const g = new GraphBuilder("plain");
  g.output("y", g.input("x", "float32", [1]));
  await writeModel(plain, g.build());
  expect(await integerWeightsOf(path)).toBe((await cutsOffSums()) ? "unsigned" : "signed");
  expect(await integerWeightsOf(plain)).toBeUndefined();
});

it("turns weights into unsigned ones on processors that cut off sums, and on no others", async () => {
  const path = join(scratch.path, "product.onnx");
  await writeModel(path, product());
  const opened = join(scratch.path, "opened.onnx"); // the graph as ONNX Runtime has it in memory
  await writePrepacked(path, opened);
  // ONNX Runtime's name for weights that it has turned into unsigned ones.
  expect((await readFile(opened)).includes("_s8_2_u8")).toBe(await cutsOffSums());
});
