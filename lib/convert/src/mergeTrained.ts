/** A converted model with what a training changed merged in, as a new model. */
import { join } from "node:path";
import type { OpenSession } from "@tinygptv/graph/session";
import type { Manifest } from "@tinygptv/model";
import { readManifest } from "@tinygptv/model/disk";
import { checkName } from "@tinygptv/model";
import { version } from "@tinygptv/protocol";
import type { CalibrationSet } from "./calibrate/samples.ts";
import { checkLevels, levelFiles, levelPaths, writeLevelFile } from "./levels.ts";
import { writeModelFolder } from "./modelFolder.ts";
import { makePlan } from "./plan.ts";
import { createReporter, type RunOptions } from "./progress.ts";
import { sourceGraphs } from "./quantizeModel.ts";
import { withTrained, type TrainedWeights } from "./trainedGraphs.ts";

export type { TrainedWeights } from "./trainedGraphs.ts";

/** What the new model is, and how it is made. */
export interface MergeOptions extends RunOptions {
  /** Of the new model. */
  name: string;
  /** File the weights came from, for the manifest. */
  source: { file: string; bytes: number };
  /** Levels to write, the default one first; those of the model unless given. */
  levels?: readonly string[];
  /** Pictures and prompts; needed by calibrated levels. */
  calibration?: CalibrationSet;
  /** Runs layers of levels that have to be looked into; `tinygptv` exports one. */
  openSession?: OpenSession;
  /** Replace a model that is at `out`. */
  replace?: boolean;
}

/**
 * Writes a new model folder: weights of the given one in float32 (or float16, where that is all
 * it has), trained ones in their place, LoRA added, each level quantized from the result. A model
 * whose levels are all of integers cannot be merged into; keep the adapter beside it.
 * @param folder of the model that was trained
 * Errors: "layout" for weights that do not fit, "parameter" for levels that cannot be made and a
 * name no model can have, "model" for a folder without a level to start from, "io" for the disk.
 */
export async function mergeTrained(
  folder: string,
  out: string,
  trained: TrainedWeights,
  { name, source, calibration, openSession, replace = false, ...options }: MergeOptions,
): Promise<Manifest> {
  checkName(name);
  const manifest = await readManifest(folder);
  const wanted = options.levels ?? defaultFirst(manifest);
  const levels = checkLevels(wanted, { calibration, openSession });
  const { graphs, changed } = withTrained(await sourceGraphs(folder, manifest), trained);
  const levelSource = { graphs, config: manifest.config, calibration, openSession };

  return writeModelFolder(out, replace, async (writer) => {
    const files = levelFiles(levels, levelSource);
    const known = new Map(manifest.files.map((file) => [file.path, file]));
    // What training did not touch is copied where the model has it already.
    const untouched = files.flatMap(({ component, path, levels: users }) => {
      const isCopied = !changed.has(component) && known.has(path);
      return isCopied ? [path, `${path}.data`].map((each) => ({ path: each, levels: users })) : [];
    });
    const made = files.filter(({ path }) => !untouched.some((file) => file.path === path));
    const others = manifest.files.filter(({ path }) => !/\.onnx(\.data)?$/.test(path));
    const copied = [...others.map(({ path }) => ({ path, levels })), ...untouched];
    const plan = await makePlan(
      writer,
      made,
      copied.map((file) => ({ ...file, bytes: known.get(file.path)!.bytes })),
    );
    options.onPlan?.(plan);
    const progress = createReporter(options, plan);
    for (const { path } of copied) await writer.copy(join(folder, path), path);
    for (const file of made)
      await writeLevelFile(writer, file, levelSource, { ...progress, signal: options.signal });
    return {
      ...manifest,
      name,
      createdBy: `tinygptv ${version}`,
      defaultLevel: levels[0]!,
      levels: levelPaths(levels),
      files: writer.files,
      sources: [...manifest.sources, { role: "trained", ...source }],
    };
  });
}

function defaultFirst({ defaultLevel, levels }: Manifest): string[] {
  return [defaultLevel, ...Object.keys(levels).filter((name) => name !== defaultLevel)];
}
