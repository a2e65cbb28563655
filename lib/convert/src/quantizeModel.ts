/** Further levels for a converted model, made from its own float32 or float16 graphs. */
import { join } from "node:path";
import { readModel } from "@tinygptv/graph/disk";
import type { Graph } from "@tinygptv/graph";
import type { OpenSession } from "@tinygptv/graph/session";
import { components } from "@tinygptv/model";
import { readManifest } from "@tinygptv/model/disk";
import type { Component, Manifest } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";
import { widenFloat16 } from "./quantize/float16.ts";
import type { LevelName } from "./quantize/registry.ts";
import type { CalibrationSet } from "./calibrate/samples.ts";
import { checkLevels, levelFiles, levelPaths, writeLevelFile, type LevelFile } from "./levels.ts";
import { updateModelFolder } from "./modelFolder.ts";
import { makePlan } from "./plan.ts";
import { createReporter, type RunOptions } from "./progress.ts";

/** How levels are added to a model. */
export interface QuantizeOptions extends RunOptions {
  /** Pictures and prompts; needed by calibrated levels. */
  calibration?: CalibrationSet;
  /** Runs layers of levels that have to be looked into; `tinygptv` exports one. */
  openSession?: OpenSession;
  /** Make levels again that are there already. */
  replace?: boolean;
}

/**
 * Adds levels to a model folder. Streams: one weight is in memory at a time.
 * The manifest is replaced last, so whatever happens on the way the folder
 * stays the model it was.
 * @param levels names of quantize/registry.ts
 * Errors: "parameter" for unknown levels and calibrated ones without
 * calibration, "model" where the folder has no level to start from or has the
 * level already, "conflict" where someone else changed the folder meanwhile, "io" for the disk.
 */
export async function quantizeModel(
  folder: string,
  levels: readonly string[],
  { calibration, openSession, replace = false, ...run }: QuantizeOptions = {},
): Promise<Manifest> {
  const names = checkLevels(levels, { calibration, openSession });
  const manifest = await readManifest(folder);
  const present = names.filter((name) => name in manifest.levels);
  if (present.length > 0 && !replace)
    throw new TinyGptvError(
      "model",
      `${folder}: want levels that are not there yet, got ${present.join(", ")}; use --force to make them again`,
      { subject: present[0]! },
    );
  const graphs = await sourceGraphs(folder, manifest, present);
  const source = { graphs, config: manifest.config, calibration, openSession };

  return updateModelFolder(folder, manifest, async (writer) => {
    const kept = Object.entries(manifest.levels).filter(
      ([name]) => !present.includes(name as LevelName),
    );
    const shared = new Set(kept.flatMap(([, files]) => Object.values(files)));
    const missing = levelFiles(names, source).filter(({ path }) => !shared.has(path));
    const known = new Set(manifest.files.map(({ path }) => path));
    const paths = new Map(missing.map((file) => [file.path, freePath(file, known)]));
    const plan = await makePlan(
      writer,
      missing.map((file) => ({ ...file, path: paths.get(file.path)! })),
    );
    run.onPlan?.(plan);
    const progress = createReporter(run, plan);
    for (const file of missing) {
      const path = paths.get(file.path)!;
      await writeLevelFile(writer, { ...file, path }, source, { ...progress, signal: run.signal });
    }
    const added = Object.entries(levelPaths(names)).map(([name, files]) => [
      name,
      Object.fromEntries(
        Object.entries(files).map(([component, path]) => [component, paths.get(path) ?? path]),
      ),
    ]);
    return { ...manifest.levels, ...Object.fromEntries(added) };
  });
}

/** Levels that others are made from, the better first. */
export const sourceLevels: readonly string[] = ["fp32", "fp16"];

/** The graphs to start from, in float32: as exact as the folder has them. */
export async function sourceGraphs(
  folder: string,
  manifest: Manifest,
  replaced: readonly string[] = [],
): Promise<Record<Component, Graph>> {
  const level = sourceLevels.find((name) => name in manifest.levels);
  if (!level || replaced.includes(level))
    throw new TinyGptvError(
      "model",
      `${folder}: want the level fp32 or fp16 to start from, got ${level ? `${level} itself to make` : `only ${Object.keys(manifest.levels).join(", ")}`}; convert the checkpoint`,
    );
  const graphs: Partial<Record<Component, Graph>> = {};
  for (const component of components)
    graphs[component] = widenFloat16(
      await readModel(join(folder, manifest.levels[level]![component])),
    );
  return graphs as Record<Component, Graph>;
}

/** A path that the manifest does not name: files in use are never written to. */
function freePath({ path }: LevelFile, known: ReadonlySet<string>): string {
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? path : path.replace(/\.onnx$/, `.${n}.onnx`);
    if (!known.has(candidate)) return candidate;
  }
}
