import { Command } from "commander";
import { note, printJson } from "../terminal/output.ts";
import { alphaOption } from "./options.ts";

interface AdapterFlags {
  name: string;
  alpha?: number;
  force?: boolean;
  json?: boolean;
}

export function adapterCommand(): Command {
  const command = new Command("adapter")
    .summary("a trained adapter beside its model, to be asked for as MODEL+NAME")
    .description(
      "Puts what was trained (an adapter folder as tinygptv train or PEFT write it, or a stage file) beside a model, into the folder adapters of the model's own. A server that has the model has the adapter from then on. The model stays as it is, in whatever level.",
    )
    .argument("<model>", "model folder that was trained over")
    .argument("<trained>", "folder with adapter_config.json, or a stage file")
    .requiredOption("--name <name>", "what it is asked for by")
    .option("--force", "replace an adapter of this name")
    .option("--json", "print the result as JSON");
  return alphaOption(command).action(addAdapter);
}

async function addAdapter(model: string, trained: string, flags: AdapterFlags): Promise<void> {
  const { addAdapter: add } = await import("@tinygptv/convert");
  const { readTrained } = await import("@tinygptv/train");
  const { readManifest } = await import("@tinygptv/model/disk");
  const { adapterId } = await import("@tinygptv/protocol");
  const { config, name: modelName } = await readManifest(model);
  const { source, ...weights } = await readTrained(trained, config.phi.numHeads, flags.alpha);
  const { name, force = false } = flags;
  const { rank, files } = await add(model, weights, { name, source, replace: force });
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const id = adapterId(modelName, name);
  if (flags.json) printJson({ id, name, rank, bytes });
  else note(`${id}: tinygptv ask ${adapterId(model, name)} PICTURE --prompt …`);
}
