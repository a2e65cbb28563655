/** A run by its settings: what it tells, and what comes of it. */
import { join } from "node:path";
import { readManifest } from "@tinygptv/model/disk";
import { TinyGptvError } from "@tinygptv/protocol";
import { memoryWanted, shouldRecompute } from "./memory.ts";
import { openRunLog, type RunLog } from "./metrics/runLog.ts";
import { writeAdapter } from "./results/peft.ts";
import { writeStageFile } from "./results/stageFile.ts";
import type { TrainingPlan } from "./plan.ts";
import { train, type TrainingEvent, type TrainingRun } from "./run.ts";
import { evaluationsOf, mixtureOf, regimeOf, scheduleOf } from "./settings/plan.ts";
import { referenceConfig } from "./settings/referenceConfig.ts";
import type { RunSettings } from "./settings/schema.ts";
import { openCheckpoint } from "./sources.ts";

/** Where the results are. */
export interface TrainingOutcome {
  readonly steps: number;
  /** PEFT's folder, for the model that was trained from; undefined where published files were. */
  readonly adapter: string | undefined;
  /** As published, for the published language model; undefined where a converted model was trained from. */
  readonly stageFile: string | undefined;
}

/** What is run of settings. @throws TinyGptvError "data" for what is not where the settings say */
export async function planOf(settings: RunSettings): Promise<TrainingPlan> {
  const { checkpoint, evaluate, save, frozen, recompute, ...rest } = settings;
  const plan = {
    ...rest,
    recompute: recompute ?? true,
    checkpoint: typeof checkpoint === "string" ? { folder: checkpoint } : checkpoint,
    data: mixtureOf(settings),
    evaluate: await evaluationsOf(settings),
    regime: await regimeFor(settings),
    schedule: scheduleOf(settings),
    storage: frozen,
    evaluateEvery: evaluate.every,
    saveEvery: save.every,
    keep: save.keep,
    settings,
  };
  if (recompute !== undefined) return plan;
  return { ...plan, recompute: shouldRecompute(plan, await readManifest(plan.model)) };
}

/** LoRA of published files goes on in its own rank and scale, unless the settings say other. */
async function regimeFor(settings: RunSettings) {
  const { checkpoint, lora } = settings;
  const regime = regimeOf(settings);
  if (checkpoint === undefined || lora !== undefined || !regime.lora) return regime;
  const place = typeof checkpoint === "string" ? { folder: checkpoint } : checkpoint;
  const unmerged = await openCheckpoint(place);
  await unmerged.close();
  return { ...regime, lora: { ...regime.lora, ...unmerged.lora } };
}

/**
 * Runs a training to its end: figures in its folder meanwhile, then an adapter for the
 * model, or a stage file where published files were trained from.
 * Errors: as of `train`.
 */
export async function runTraining(
  settings: RunSettings,
  run: TrainingRun = {},
): Promise<TrainingOutcome> {
  const plan = await planOf(settings);
  if (!plan.checkpoint && !plan.regime.lora)
    throw new TinyGptvError(
      "parameter",
      "lora: want LoRA to make an adapter of, or published files to go on from (checkpoint), got neither",
      { subject: "lora" },
    );
  const { stepsPerEpoch } = plan.schedule;
  let log: RunLog | undefined;
  const epochs = epochMeans();
  const onEvent = async (event: TrainingEvent) => {
    switch (event.type) {
      case "ready": {
        const { from } = event;
        const epoch = Math.floor(from / stepsPerEpoch);
        log = await openRunLog(plan.out, {
          settings: referenceConfig(settings),
          step: from,
          epoch,
        });
        break;
      }
      case "step": {
        const epoch = Math.floor((event.step - 1) / stepsPerEpoch);
        await log?.step({ ...event, epoch });
        epochs.add(event.loss);
        if (event.step % stepsPerEpoch === 0)
          await log?.epoch({ rate: event.rate, loss: epochs.take() });
        break;
      }
      case "evaluated":
        for (const one of event.evaluations) await log?.evaluated({ ...one, step: event.step });
        break;
      case "saved":
    }
    await run.onEvent?.(event);
  };

  try {
    const { network, moments, step, rate } = await train(plan, { ...run, onEvent });
    const { parameters, config, regime } = network;
    const { numHeads } = config.phi;
    if (!plan.checkpoint) {
      const adapter = join(plan.out, "adapter");
      await writeAdapter(adapter, { ...regime.lora!, parameters, base: plan.model }, numHeads);
      return { steps: step, adapter, stageFile: undefined };
    }
    const stageFile = await writeStageFile(plan.out, {
      parameters,
      numHeads,
      moments,
      rate,
      weightDecay: plan.weightDecay,
      config: referenceConfig(settings),
      epoch: Math.max(0, Math.ceil(step / stepsPerEpoch) - 1),
    });
    return { steps: step, adapter: undefined, stageFile };
  } finally {
    await log?.close();
  }
}

/** What a whole run would take, from its first two steps. */
export interface TrainingCost {
  readonly steps: number;
  readonly parameters: number;
  /** Of the second step: the first one opens files and encodes pictures. */
  readonly secondsPerStep: number;
  readonly tokensPerSecond: number;
  /** Bytes, by arithmetic. */
  readonly memory: number;
}

/** Runs two steps in a folder of its own and keeps nothing of them. @param scratch folder for them */
export async function estimateCost(
  settings: RunSettings,
  scratch: string,
  run: TrainingRun = {},
): Promise<TrainingCost> {
  const plan = { ...(await planOf(settings)), out: scratch, resume: false, evaluate: [] };
  const memory = memoryWanted(plan, await readManifest(plan.model));
  let cost: Partial<TrainingCost> = { memory };
  await train(plan, {
    ...run,
    atMost: 2,
    onEvent(event) {
      if (event.type === "ready") {
        cost = { ...cost, steps: event.steps, parameters: event.parameters };
      } else if (event.type === "step") {
        const { seconds, tokens } = event;
        cost = { ...cost, secondsPerStep: seconds, tokensPerSecond: tokens / seconds };
      }
    },
  });
  if (cost.secondsPerStep === undefined)
    throw new TinyGptvError("parameter", "steps: want at least one to check, got none");
  return cost as TrainingCost;
}

function epochMeans() {
  let [sum, count] = [0, 0];
  return {
    add(loss: number) {
      sum += loss;
      count++;
    },
    take() {
      const mean = sum / count;
      [sum, count] = [0, 0];
      return mean;
    },
  };
}
