import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import type { Evaluation, TrainingEvent } from "@tinygptv/train";
import { interruptible } from "../terminal/interrupt.ts";
import { formatSeconds, note, printJson, printLine } from "../terminal/output.ts";
import { createProgress } from "../terminal/progress.ts";
import { providerOption, type ExecutionFlags } from "./options.ts";

/** Gradients are computed in float32 everywhere. */
interface TrainFlags extends Pick<ExecutionFlags, "provider"> {
  set: string[];
  check?: boolean;
  json?: boolean;
}

export function trainCommand(): Command {
  const command = new Command("train")
    .summary("train a model on pictures of your own, or as the paper does")
    .description(
      "Trains LoRA, norms and the mapping beside frozen weights, of any level (a quantized one is trained as QLoRA). What is learnt, from what and for how long is said in a file (docs/training.md). Ends with an adapter, or with a stage file where published files were trained from; what is stopped goes on with --set resume=true.",
    )
    .argument("<run.yaml>", "file of the run")
    .option("--set <key=value>", "a setting over the file's; may be given often", collect, [])
    .option("--check", "run two steps, and say what the whole would take")
    .option("--json", "print every event as a line of JSON")
    .action(trainModel);
  return providerOption(command);
}

const collect = (value: string, before: string[]) => [...before, value];

async function trainModel(path: string, flags: TrainFlags): Promise<void> {
  const { estimateCost, readRunFile, runTraining } = await import("@tinygptv/train");
  const { chooseExecution } = await import("tinygptv/parts");
  const settings = await readRunFile(path, flags.set);
  const execution = flags.provider && (await chooseExecution(flags.provider, "float32"));

  if (flags.check) {
    const scratch = await mkdtemp(join(tmpdir(), "tinygptv-train-"));
    const cost = await interruptible((signal) =>
      estimateCost(settings, scratch, { execution, signal }),
    ).finally(() => rm(scratch, { recursive: true, force: true }));
    if (flags.json) return printJson(cost);
    const { steps, parameters, secondsPerStep, tokensPerSecond, memory } = cost;
    printLine(
      `${steps} steps, ${millions(parameters)} trained numbers: ${secondsPerStep.toFixed(2)} s a step, ${tokensPerSecond.toFixed(0)} tokens/s; about ${formatSeconds(steps * secondsPerStep)} in all, evaluation apart, and ${(memory / 1e9).toFixed(1)} GB of memory`,
    );
    return;
  }

  const progress = createProgress((steps) => `${Math.floor(steps)} steps`);
  const reporter = flags.json ? printJson : told(progress);
  const outcome = await interruptible((signal) =>
    runTraining(settings, { execution, signal, onEvent: reporter }),
  ).finally(progress.clear);
  if (flags.json) return printJson({ type: "done", ...outcome });
  printLine(outcome.adapter ?? outcome.stageFile!);
  const next = outcome.adapter
    ? `tinygptv adapter ${settings.model} ${outcome.adapter} --name NAME`
    : `tinygptv convert --checkpoint ${outcome.stageFile} …`;
  note(`${outcome.adapter ? "Beside its model" : "As a model of its own"}: ${next}`);
}

/** Events for people: a bar, and a line for what is worth one. */
function told(progress: ReturnType<typeof createProgress>) {
  let steps = 0;
  return (event: TrainingEvent) => {
    if (event.type === "step") {
      progress.update(`loss ${event.loss.toFixed(4)}`, event.step, steps);
      return;
    }
    progress.clear();
    if (event.type === "ready") {
      ({ steps } = event);
      for (const damaged of event.damaged) note(`left out: ${damaged}`);
      const begin = event.from === 0 ? "" : `, going on after step ${event.from}`;
      note(`${steps} steps, ${millions(event.parameters)} trained numbers${begin}`);
    } else if (event.type === "evaluated") {
      printLine(`step ${event.step}: ${event.evaluations.map(evaluated).join("; ")}`);
    }
  };
}

const evaluated = ({ name, loss, right, examples }: Evaluation) =>
  `${name}: loss ${loss.toFixed(4)}, ${right} of ${examples} answers right`;
const millions = (count: number) => `${(count / 1e6).toFixed(2)} million`;
