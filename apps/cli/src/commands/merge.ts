import { stat } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { interruptible } from "../terminal/interrupt.ts";
import { note, printJson } from "../terminal/output.ts";
import { createProgress } from "../terminal/progress.ts";
import { levelList, levelOption } from "./options.ts";

interface MergeFlags {
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
      "Merges an adapter folder (as tinygptv train or PEFT write it) into a model and writes the result as a new one, each level quantized from the merged weights.",
    )
    .argument("<model>", "model folder that was trained from")
    .argument("<adapter>", "folder with adapter_config.json")
    .requiredOption("--out <folder>", "folder of the new model")
    .requiredOption("--name <name>", "what it is called")
    .option("--force", "replace a model that is there")
    .option("--json", "print the result as JSON")
    .action(mergeModel);
  const levels = [
    "<levels>",
    "levels to write, separated by commas; those of the model unless given",
  ] as const;
  return levelOption(command, levels, levelList);
}

async function mergeModel(model: string, adapter: string, flags: MergeFlags): Promise<void> {
  const { mergeTrained } = await import("@tinygptv/convert");
  const { readAdapter } = await import("@tinygptv/train");
  const { readManifest } = await import("@tinygptv/model/disk");
  const { openSession } = await import("tinygptv");
  const { config } = await readManifest(model);
  const { parameters, alpha } = await readAdapter(adapter, config.phi.numHeads);
  const weights = parameters.map(({ name, shape, values }) => ({
    name,
    shape,
    load: async () => values,
  }));
  const file = "adapter_model.safetensors";
  const { size: bytes } = await stat(join(adapter, file)).catch(() => ({ size: 0 }));
  const progress = createProgress();
  const manifest = await interruptible((signal) =>
    mergeTrained(
      model,
      flags.out,
      { weights, alpha },
      {
        name: flags.name,
        source: { file, bytes },
        openSession,
        replace: flags.force ?? false,
        onProgress: ({ component, activity, done, total }) =>
          progress.update(`${activity} ${component}`, done, total),
        signal,
        ...(flags.level && { levels: flags.level }),
      },
    ),
  ).finally(progress.clear);
  const levels = Object.keys(manifest.levels);
  if (flags.json) printJson({ out: flags.out, name: manifest.name, levels });
  else note(`${manifest.name} (${levels.join(", ")}) in ${flags.out}`);
}
