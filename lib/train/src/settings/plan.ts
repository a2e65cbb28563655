/** From the settings of a run to what is run. */
import { basename, isAbsolute, join } from "node:path";
import type { DataSetSpec } from "../data/dataSets.ts";
import type { MixtureSpec } from "../data/mixture.ts";
import { findSplit } from "../data/own/own.ts";
import { servedWording, stageWordings, type Wording } from "../data/wording.ts";
import type { EvaluationSpec } from "../plan.ts";
import { constantRate, type Schedule } from "../schedule.ts";
import { loraSchema, type DataSettings, type RunSettings, type SourceSettings } from "./schema.ts";

/** All data sets of a run with their shares of the steps; those of a replay have its share together. */
export function mixtureOf(settings: RunSettings): MixtureSpec[] {
  const { data, replay } = settings;
  if (!replay) return data.map((each) => mixed(settings, each, 1));
  return [
    ...data.map((each) => mixed(settings, each, (1 - replay.share) / sumOf(data))),
    ...replay.data.map((each) => mixed(settings, each, replay.share / sumOf(replay.data))),
  ];
}

/** What is evaluated: what the settings name, or the `valid` files beside one's own data. */
export async function evaluationsOf(settings: RunSettings): Promise<EvaluationSpec[]> {
  const { data, limit } = settings.evaluate;
  const sets = data?.map((set) => specOf(settings, set)) ?? (await validFiles(settings));
  const wording = wordingOf(settings);
  return sets.map((set) => ({ ...set, wording, limit }));
}

/** How the learning rate goes, over so many steps. */
export function scheduleOf({ steps, epochs = 1, stepsPerEpoch, rate }: RunSettings): Schedule {
  const length =
    steps === undefined
      ? { epochs, stepsPerEpoch: stepsPerEpoch! }
      : { epochs: 1, stepsPerEpoch: steps };
  if (typeof rate === "number") return constantRate(rate, length);
  const { start = rate.peak, peak, final, warmup } = rate;
  return { start, peak, final, warmupSteps: warmup, ...length };
}

/** What is trained beside norms and mapping: LoRA from the second stage on, unless the settings say other. */
export function regimeOf({ stage, lora, dropout }: RunSettings) {
  const byStage = stage === 1 ? undefined : loraSchema.parse({});
  return { lora: lora === false ? undefined : (lora ?? byStage), dropout };
}

/** Of the stage, with the end symbol and limit of the settings. */
export function wordingOf({ stage, prompts, endSymbol, maxAnswerTokens }: RunSettings): Wording {
  const wording = prompts === "served" ? servedWording : stageWordings[stage];
  return {
    ...wording,
    endSymbol: endSymbol ?? wording.endSymbol,
    maxAnswerTokens: maxAnswerTokens ?? wording.maxAnswerTokens,
  };
}

function mixed(settings: RunSettings, set: DataSettings, factor: number): MixtureSpec {
  return {
    ...specOf(settings, set),
    ratio: set.ratio * factor,
    batchSize: set.batch,
    wording: wordingOf(settings),
  };
}

function specOf(
  { dataRoot }: Pick<RunSettings, "dataRoot">,
  { name, format, path, images }: SourceSettings,
): DataSetSpec {
  const from = (place: string) =>
    dataRoot === undefined || isAbsolute(place) ? place : join(dataRoot, place);
  const data = typeof path === "string" ? from(path) : path.map(from);
  const own = () => basename([path].flat()[0]!);
  return {
    name: name ?? (format === "own" ? own() : format),
    format,
    data,
    images: images === undefined ? undefined : from(images),
  };
}

async function validFiles(settings: RunSettings): Promise<DataSetSpec[]> {
  const found: DataSetSpec[] = [];
  for (const set of [...settings.data, ...(settings.replay?.data ?? [])]) {
    if (set.format !== "own") continue;
    const spec = specOf(settings, set);
    for (const place of [spec.data].flat()) {
      const data = await findSplit(place, "valid");
      if (data !== undefined) found.push({ ...spec, data });
    }
  }
  return found;
}

const sumOf = (sets: readonly DataSettings[]) => sets.reduce((sum, { ratio }) => sum + ratio, 0);
