import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Graph } from "@tinygptv/graph";
import { openSession } from "../../../runtime/src/session/runtime.ts";
import { evaVit } from "@tinygptv/network";
import { config, loudWeights } from "../../../../test/support/loudWeights.ts";
import { linearLayers } from "@tinygptv/network";
import { findOutliers } from "./outliers.ts";
import { probePictures, visionSample } from "./samples.ts";
import { walkBlocks, type WalkOptions } from "./walk.ts";

/** New weights each time: they are drawn in the order they are loaded in. */
const createGraph = () => evaVit(loudWeights("vision.blocks.1.norm2.weight"), config);
const samples = probePictures(config).map((picture) => visionSample(picture, config));

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "walk-"));
});
afterAll(() => rm(scratch, { recursive: true }));
const options = (): WalkOptions => ({
  openSession,
  scratch,
  output: "vision_states",
  onBytes: () => {},
});

/** The same graph with other names for everything that is computed. */
function relabelled({ nodes, ...graph }: Graph): Graph {
  const kept = new Set(graph.outputs.map(({ name }) => name));
  const names = new Map(
    nodes
      .flatMap(({ outputs }) => outputs)
      .map((name, i): [string, string] => [name, kept.has(name) ? name : `v${i}`]),
  );
  const nameOf = (name: string) => names.get(name) ?? name;
  return {
    ...graph,
    nodes: nodes.map((node, i) => ({
      ...node,
      name: `n${i}`,
      inputs: node.inputs.map(nameOf),
      outputs: node.outputs.map(nameOf),
    })),
    stages: new Map(Array.from(graph.stages, ([stage, name]) => [stage, nameOf(name)])),
    blocks: graph.blocks.map(nameOf),
  };
}

async function visit(graph: Graph) {
  const blocks: string[][] = [];
  let last: Float32Array | undefined;
  await walkBlocks(graph, samples, options(), async (block) => {
    blocks.push(linearLayers(block.graph).map(({ name }) => name));
    if (blocks.length === config.depth + 1)
      await block.run(block.graph, (outputs) => (last = outputs.vision_states));
    return block.graph;
  });
  return { blocks, last: last!, outliers: await findOutliers(graph, samples, options()) };
}

it("visits the blocks that the model says it has, whatever its values are called", async () => {
  const found = await visit(createGraph());
  const layersOf = (n: number) =>
    ["attention.qkv", "attention.proj", "mlp.fc1", "mlp.fc2"].map((l) => `vision.blocks.${n}.${l}`);
  expect(found.blocks).toEqual([layersOf(0), layersOf(1), layersOf(2), []]);
  expect([...found.outliers]).toEqual(["vision.blocks.1.mlp.fc1"]);
  expect(await visit(relabelled(createGraph()))).toEqual(found);
});

it("refuses a graph whose blocks end in none of its values", async () => {
  const graph = { ...createGraph(), blocks: ["nowhere"] };
  await expect(visit(graph)).rejects.toMatchObject({
    code: "model",
    message: "graph vision: want a block to end in a value of it, got nowhere",
  });
});

it("refuses a graph that says nothing of blocks", async () => {
  const graph = { ...createGraph(), blocks: [] };
  await expect(visit(graph)).rejects.toMatchObject({
    code: "model",
    message: expect.stringMatching(/^graph vision: want one that says where its blocks end/),
  });
});
