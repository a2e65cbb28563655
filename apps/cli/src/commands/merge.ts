import { Command } from "commander";
import { interruptible } from "../terminal/interrupt.ts";
import { note, printJson } from "../terminal/output.ts";
import { createProgress } from "../terminal/progress.ts";
import { alphaOption, levelList, levelOption } from "./options.ts";

interface MergeFlags {
  alpha?: number;
  out: string;
  name: string;
  level?: string[];
  force?: boolean;
  json?: boolean;
}

export function mergeCommand(): Command {
  const command = new Command("merge")
    .summary("a trained adapter and its model, as a new model")
    .description(
      "Merges an adapter folder (as tinygptv train or PEFT write it) or a stage file into a model and writes the result as a new one, each level quantized from the merged weights.",
    )
    .argument("<model>", "model folder that was trained from")
    .argument("<trained>", "folder with adapter_config.json, or a stage file")
    .requiredOption("--out <folder>", "folder of the new model")
    .requiredOption("--name <name>", "what it is called")
    .option("--force", "replace a model that is there")
    .option("--json", "print the result as JSON")
    .action(mergeModel);
  const levels = [
    "<levels>",
    "levels to write, separated by commas; those of the model unless given",
  ] as const;
  return levelOption(alphaOption(command), levels, levelList);
}

async function mergeModel(model: string, trained: string, flags: MergeFlags): Promise<void> {
  const { mergeTrained } = await import("@tinygptv/convert");
  const { readTrained } = await import("@tinygptv/train");
  const { readManifest } = await import("@tinygptv/model/disk");
  const { openSession } = await import("tinygptv");
  const { config } = await readManifest(model);
  const { source, ...weights } = await readTrained(trained, config.phi.numHeads, flags.alpha);
  const progress = createProgress();
  const manifest = await interruptible((signal) =>
    mergeTrained(model, flags.out, weights, {
      name: flags.name,
      source,
      openSession,
      replace: flags.force ?? false,
      onProgress: ({ component, activity, done, total }) =>
        progress.update(`${activity} ${component}`, done, total),
      signal,
      ...(flags.level && { levels: flags.level }),
    }),
  ).finally(progress.clear);
  const levels = Object.keys(manifest.levels);
  if (flags.json) printJson({ out: flags.out, name: manifest.name, levels });
  else note(`${manifest.name} (${levels.join(", ")}) in ${flags.out}`);
}
