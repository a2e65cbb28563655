/** The shapes that graphs know beforehand are those that ONNX Runtime gives, at every value of every level. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { visionSample } from "../../lib/convert/src/calibrate/samples.ts";
import { feedsFromNothing } from "../../lib/network/src/feeds.ts";
import { convert } from "../../lib/convert/src/convert.ts";
import { findSources } from "../../lib/convert/src/sources.ts";
import { GraphBuilder } from "../../lib/graph/src/builder.ts";
import type { Dimension, Shape } from "../../lib/graph/src/dimension.ts";
import { readModel, writeModel } from "../../lib/graph/src/modelFile.ts";
import type { SessionTensor } from "../../lib/graph/src/session.ts";
import type { Component, Manifest } from "../../lib/model/src/manifest.ts";
import { openSession } from "../../lib/runtime/src/session/runtime.ts";
import { fixture, temporaryFolder } from "../support/converted.ts";

const levels = ["fp32", "fp16", "int8", "int4", "auto"];
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let model: string;
let manifest: Manifest;
beforeAll(async () => {
  folder = await temporaryFolder();
  model = join(folder.path, "model");
  const { paths, settings } = await findSources(fixture("micro-stage4"), {});
  manifest = await convert({
    sources: paths,
    out: model,
    levels,
    openSession,
    settings: settings!,
  });
});
afterAll(() => folder.remove());

/** What the names stand for; different ones, so that none passes for another. */
const sizes: Record<string, number> = { padding: 2, batch: 2, sequence: 3, past: 5, logits: 4 };
const evaluate = (dimension: Dimension) =>
  String(dimension)
    .split("+")
    .map((term) => term.split("*").reduce((all, name) => all * (sizes[name] ?? Number(name)), 1))
    .reduce((sum, term) => sum + term, 0);
const evaluated = (shape: Shape) => shape.map(evaluate);

/** Tensors for a graph's inputs, small positions among them. */
function feedsOf(inputs: readonly { name: string; dtype: string; shape: Shape }[]) {
  return Object.fromEntries(
    inputs.map(({ name, dtype, shape: declared }): [string, SessionTensor] => {
      const shape = evaluated(declared);
      const length = shape.reduce((product, size) => product * size, 1);
      return dtype === "int64"
        ? [name, { dtype, shape, data: new BigInt64Array(length).fill(1n) }]
        : [name, { dtype: "float32", shape, data: new Float32Array(length).fill(0.1) }];
    }),
  );
}

it.each(["vision", "qformer", "mapping", "phi"] as const)(
  "%s: every value has the type, shape and contents that are known of it",
  async (component: Component) => {
    const paths = new Set(levels.map((level) => manifest.levels[level]![component]));
    for (const path of paths) {
      const graph = await readModel(join(model, path));
      const g = GraphBuilder.on({ ...graph, outputs: [] });
      const values = graph.nodes.flatMap(({ outputs }) => outputs).map((name) => g.value(name));
      const asked = values.flatMap((value) => {
        const { name, shape, contents } = value;
        // As outputs they are declared with their types, which ONNX Runtime holds them to.
        g.output(`value of ${name}`, value);
        const at = g.at("measured").at(name);
        const toFloat = { attributes: { to: 1 } };
        const ofShape = at.op("Cast", [at.op("Shape", [value])], toFloat);
        g.output(`shape of ${name}`, ofShape);
        const found = [{ name: `shape of ${name}`, want: evaluated(shape) }];
        if (!contents) return found;
        g.output(`contents of ${name}`, at.op("Cast", [value], { ...toFloat, label: "contents" }));
        return [...found, { name: `contents of ${name}`, want: evaluated(contents) }];
      });
      expect(asked.length).toBeGreaterThanOrEqual(graph.nodes.length);
      const copy = join(folder.path, `${component}.onnx`);
      await writeModel(copy, g.build());
      const session = await openSession(copy);
      const results = await session
        .run(
          feedsOf(graph.inputs),
          asked.map(({ name }) => name),
        )
        .finally(() => session.release());
      const got = asked.map(({ name }) => ({ name, want: [...results[name]!] }));
      expect(got).toEqual(asked);
    }
  },
);

it("a graph that was read can be gone on with, and run", async () => {
  const graph = await readModel(join(model, manifest.levels.fp32!.mapping));
  const g = GraphBuilder.on(graph);
  const features = g.value("image_features");
  g.output("doubled", g.at("more").op("Add", [features, features]));
  const path = join(folder.path, "more.onnx");
  await writeModel(path, g.build());
  const session = await openSession(path);
  const results = await session
    .run(feedsOf(graph.inputs), ["image_features", "doubled"])
    .finally(() => session.release());
  expect(results.doubled).toEqual(results.image_features!.map((value) => 2 * value));
  expect(results.doubled!.some((value) => value !== 0)).toBe(true);
});

it("a graph that was read still says where its blocks and stages are", async () => {
  const { vision, qformer, phi } = manifest.config;
  const read = async (component: Component) =>
    readModel(join(model, manifest.levels.auto![component]));
  for (const [component, layers] of [
    ["vision", vision.depth],
    ["qformer", qformer.numLayers],
    ["phi", phi.numLayers],
    ["mapping", 0],
  ] as const) {
    const graph = await read(component);
    expect(graph.blocks).toHaveLength(layers);
    const names = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
    expect(graph.blocks.every((name) => names.has(name))).toBe(true);
    expect(graph.stages.size).toBeGreaterThan(0);
  }
});

it("samples for calibration fit the inputs of the graphs", async () => {
  const { config } = manifest;
  const phi = await readModel(join(model, manifest.levels.fp32!.phi));
  const vision = await readModel(join(model, manifest.levels.fp32!.vision));
  const ranks = (inputs: Record<string, SessionTensor>) =>
    Object.fromEntries(
      Object.entries(inputs).map(([name, { dtype, shape }]) => [name, [dtype, shape.length]]),
    );
  for (const [graph, sample] of [
    [phi, feedsFromNothing(new Float32Array(2 * config.phi.width), config.phi)],
    [vision, visionSample(new Float32Array(3 * config.vision.imageSize ** 2), config.vision)],
  ] as const)
    expect(ranks(sample)).toEqual(
      Object.fromEntries(
        graph.inputs.map(({ name, dtype, shape }) => [name, [dtype, shape.length]]),
      ),
    );
});
