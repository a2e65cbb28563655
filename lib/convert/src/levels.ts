/** Writes quantization levels of a model: each graph once per recipe, however many levels share it. */
import { rm } from "node:fs/promises";
import { compensate } from "./calibrate/compensate.ts";
import { findOutliers } from "./calibrate/outliers.ts";
import {
  probePictures,
  probePrompts,
  visionSample,
  type CalibrationSet,
} from "./calibrate/samples.ts";
import type { WalkOptions } from "./calibrate/walk.ts";
import { writeModel } from "@tinygptv/graph/disk";
import type { Graph } from "@tinygptv/graph";
import type { OpenSession } from "@tinygptv/graph/session";
import { feedsFromNothing } from "@tinygptv/network/feeds";
import { byteLength, components } from "@tinygptv/model";
import type { Component, Manifest, ModelConfig } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";
import { quantizeGraph, type LayerFindings } from "./quantize/quantize.ts";
import {
  isCalibrated,
  levelNames,
  levels,
  recipeName,
  type LevelName,
  type Method,
  type Recipe,
} from "./quantize/registry.ts";
import type { FolderWriter } from "./modelFolder.ts";

export interface LevelSource {
  /** In float32. */
  readonly graphs: Readonly<Record<Component, Graph>>;
  readonly config: ModelConfig;
  /** Needed by calibrated levels; the others look at its pictures instead of synthetic ones. */
  readonly calibration?: CalibrationSet | undefined;
  /** Runs graphs; needed by levels whose layers are looked into first. */
  readonly openSession?: OpenSession | undefined;
}

/** One graph to write, which several levels may share. */
export interface LevelFile {
  readonly component: Component;
  readonly recipe: Recipe;
  /** Path in the model folder: `phi/int4-b32.onnx`. */
  readonly path: string;
  /** Which of the levels that are written use it. */
  readonly levels: readonly LevelName[];
  /** Size of its weights; where layers fall back to another form, about. */
  readonly bytes: number;
  /** The same before it is quantized. */
  readonly float32Bytes: number;
  /** What it takes on disk beside, while it is looked into: a block, about; 0 where it is not. */
  readonly scratchBytes: number;
}

export interface WriteLevelOptions {
  readonly onWritten: (component: Component, bytes: number) => void;
  /** While a graph is run to see how to quantize it; in bytes of float32 weights. */
  readonly onMeasured: (component: Component, done: number, total: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * @throws TinyGptvError `parameter` for a name that is no level, a calibrated one without
 *   calibration, or one that has to be looked into without anything to run it
 */
export function checkLevels(
  names: readonly string[],
  { calibration, openSession }: Pick<LevelSource, "calibration" | "openSession">,
): LevelName[] {
  const isLevel = (name: string): name is LevelName => Object.hasOwn(levels, name);
  return [...new Set(names)].map((name) => {
    if (!isLevel(name))
      throw new TinyGptvError(
        "parameter",
        `level: want one of ${levelNames.join(", ")}, got ${name}`,
        { subject: name },
      );
    if (isCalibrated(levels[name]) && !calibration)
      throw new TinyGptvError(
        "parameter",
        `level ${name}: want questions about pictures to calibrate with, got none; convert to fp32 or fp16 first, then \`tinygptv quantize MODEL --dtype ${name} --images DIR\``,
        { subject: name },
      );
    const runs = components.some((each) => needsRunning(each, levels[name][each].layers));
    if (runs && !openSession) throw needsSession(`level ${name}`);
    return name;
  });
}

/** The graphs that levels consist of, each once. */
export function levelFiles(names: readonly LevelName[], { graphs }: LevelSource): LevelFile[] {
  const files = new Map<string, LevelFile>();
  for (const component of components)
    for (const name of names) {
      const recipe: Recipe = levels[name][component];
      const path = recipePath(component, recipe);
      const users = names.filter((user) => recipePath(component, levels[user][component]) === path);
      const graph = graphs[component];
      const bytes = weightBytes(quantizeGraph(graph, uncalibrated(recipe)));
      const float32Bytes = weightBytes(graph);
      const scratchBytes = needsRunning(component, recipe.layers)
        ? Math.ceil(float32Bytes / Math.max(1, graph.blocks.length))
        : 0;
      files.set(path, {
        component,
        recipe,
        path,
        levels: users,
        bytes,
        float32Bytes,
        scratchBytes,
      });
    }
  return [...files.values()];
}

/** Level -> path of each component, for the manifest. */
export function levelPaths(names: readonly LevelName[]): Manifest["levels"] {
  const paths = (name: LevelName) =>
    components.map((component) => [component, recipePath(component, levels[name][component])]);
  return Object.fromEntries(names.map((name) => [name, Object.fromEntries(paths(name))]));
}

/** Writes one graph of a level, one weight in memory at a time. */
export async function writeLevelFile(
  folder: FolderWriter,
  { component, recipe, path }: LevelFile,
  source: LevelSource,
  { onWritten, onMeasured, signal }: WriteLevelOptions,
): Promise<void> {
  const graph = source.graphs[component];
  const scratch = `${await folder.path(path)}.scratch`;
  const total = weightBytes(graph);
  let measured = 0;
  try {
    const findings = await measure(component, recipe, source, {
      scratch,
      signal,
      onBytes: (bytes) => onMeasured(component, (measured += bytes), total),
    });
    folder.add(
      await writeModel(await folder.path(path), quantizeGraph(graph, recipe, findings), {
        onBytes: (bytes) => onWritten(component, bytes),
        ...(signal ? { signal } : {}),
      }),
    );
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** What has to be known of a graph's layers before it is quantized, found by running it. */
async function measure(
  component: Component,
  { layers, ...rest }: Recipe,
  { graphs, config, calibration, openSession }: LevelSource,
  run: Pick<WalkOptions, "scratch" | "signal" | "onBytes">,
): Promise<LayerFindings> {
  if (!needsRunning(component, layers)) return {};
  if (!openSession) throw needsSession(recipeName({ layers, ...rest }));
  if (component === "vision") {
    const pictures = calibration?.pictures ?? probePictures(config.vision);
    const samples = pictures.map((picture) => visionSample(picture, config.vision));
    const options = { ...run, openSession, output: "vision_states" };
    return { outliers: await findOutliers(graphs.vision, samples, options) };
  }
  const prompts = calibration?.prompts ?? probePrompts(config.phi);
  const samples = prompts.map((embeds) => feedsFromNothing(embeds, config.phi));
  const options = { ...run, openSession, output: "logits" };
  if (layers.kind === "dynamic")
    return { outliers: await findOutliers(graphs.phi, samples, options) };
  const recipe = { layers, ...rest };
  return { calibrated: await compensate(graphs.phi, recipe, samples, options) };
}

/** Whether the form of a component's layers depends on what goes through them. */
const needsRunning = (component: Component, { kind }: Method) =>
  kind === "dynamic" || (component === "phi" && kind === "calibrated");

const needsSession = (name: string) =>
  new TinyGptvError(
    "parameter",
    `${name}: want \`openSession\` to look into the layers with (tinygptv exports one), got none`,
    { subject: "openSession" },
  );

const recipePath = (component: Component, recipe: Recipe) =>
  `${component}/${recipeName(recipe)}.onnx`;

/** The same sizes without calibration. */
function uncalibrated({ layers, head }: Recipe): Recipe {
  const plain = (method: Method): Method =>
    method.kind === "calibrated" ? { ...method, kind: "blockwise" } : method;
  return { layers: plain(layers), ...(head ? { head: plain(head) } : {}) };
}

function weightBytes({ initializers }: Graph): number {
  let sum = 0;
  for (const { dtype, shape } of initializers.values()) sum += byteLength(dtype, shape);
  return sum;
}
