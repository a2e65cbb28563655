import { Command } from "commander";
import { interruptible } from "../terminal/interrupt.ts";
import { formatBytes, formatSeconds, note, printJson } from "../terminal/output.ts";
import { createProgress } from "../terminal/progress.ts";
import { levelList, levelOption, wholeNumber } from "./options.ts";

interface QuantizeFlags {
  level: string[];
  images?: string;
  questions?: string;
  limit?: number;
  force?: boolean;
  copies: boolean;
  json?: boolean;
}

export function quantizeCommand(): Command {
  const command = new Command("quantize")
    .summary("further quantization levels for a model")
    .description(
      "Adds quantization levels to a model folder, from its level fp32 or fp16. Streams like convert; what is interrupted leaves the folder as it was. Calibrated levels (int4-gptq) are made with pictures: give --images or --questions.",
    )
    .argument("<model>", "model folder")
    .option("--images <folder>", "pictures to calibrate with")
    .option("--questions <file>", 'JSON lines to calibrate with: {"image": ..., "prompt": ...}')
    .option("--limit <count>", "questions to calibrate with at most", wholeNumber(1))
    .option("--force", "make levels again that are there already")
    .option("--no-copies", "make no copies for this machine: the model is meant for another one")
    .option("--json", "print the result as JSON")
    .action(quantize);
  const levels = ["<levels>", "levels to add, separated by commas"] as const;
  return levelOption(command, levels, levelList, { isRequired: true });
}

async function quantize(model: string, flags: QuantizeFlags): Promise<void> {
  const { quantizeModel } = await import("@tinygptv/convert");
  const { openSession } = await import("tinygptv");
  const { copiedOf, describeCopies, makeCopies } = await import("../write/makeCopies.ts");
  const { showPlan } = await import("../write/showPlan.ts");
  const copied = flags.copies ? copiedOf(flags.level) : [];
  const progress = createProgress();
  const start = performance.now();
  const manifest = await interruptible(async (signal) => {
    const calibration = await calibrationFor(model, flags, signal);
    return quantizeModel(model, flags.level, {
      ...(calibration ? { calibration } : {}),
      openSession,
      replace: flags.force ?? false,
      onPlan: (plan) => {
        if (!flags.json) showPlan(plan, copied);
      },
      onProgress: ({ component, activity, done, total }) =>
        progress.update(`${activity} ${component}`, done, total),
      signal,
    });
  }).finally(progress.clear);
  const seconds = (performance.now() - start) / 1000;
  const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  const levels = Object.keys(manifest.levels);
  const { name } = manifest;
  if (!flags.json)
    note(
      `${name} (${levels.join(", ")}): ${formatBytes(bytes)}, added ${flags.level.join(", ")} in ${formatSeconds(seconds)}`,
    );
  const copies = await interruptible((signal) => makeCopies(model, copied, { progress, signal }));
  if (flags.json) {
    printJson({ model, name, levels, bytes, seconds, copies });
    return;
  }
  const said = describeCopies(copies);
  if (said !== undefined) note(said);
}

async function calibrationFor(
  model: string,
  { images, questions, limit }: QuantizeFlags,
  signal: AbortSignal,
) {
  if (images === undefined && questions === undefined) return undefined;
  const { prepareCalibration } = await import("@tinygptv/evaluate");
  return prepareCalibration(model, { images, questions, limit, signal });
}
