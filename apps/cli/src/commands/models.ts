import { Command } from "commander";
import { readManifest, splitFolder } from "@tinygptv/model/disk";
import { TinyGptvError } from "@tinygptv/protocol";
import type { MeasuredModel } from "../models/measure.ts";
import { confirm } from "../terminal/confirm.ts";
import { exitCodes, explain, usageError } from "../terminal/failure.ts";
import { formatBytes, note, printJson, printLine, table } from "../terminal/output.ts";

interface RemoveFlags {
  level?: string;
  yes?: boolean;
}

export function modelsCommand(): Command {
  const remove = new Command("remove")
    .summary("remove a model, a level of one, or an adapter beside one")
    .description(
      "Removes a converted model, one of its levels, or an adapter beside it; asks first. Files that other levels share stay, and so does what is in the folder and not the model's.",
    )
    .argument("<model>", "model folder; +NAME for an adapter beside it alone")
    .option("--level <level>", "this level only")
    .option("--yes", "do not ask")
    .exitOverride()
    .action(removeSome);
  return new Command("models")
    .summary("list models and what they take, or remove some")
    .description("Lists converted models, their levels and what each takes on the disk.")
    .argument("[folder...]", "model folders, or folders with some below (default: models)")
    .option("--json", "print one JSON object a model")
    .action(list)
    .addCommand(remove);
}

async function list(folders: string[], { json }: { json?: boolean }): Promise<void> {
  const { findModels } = await import("../models/findModels.ts");
  const { measureModel } = await import("../models/measure.ts");
  for (const folder of folders.length > 0 ? folders : ["models"]) {
    const found = await findModels(folder);
    if (found.length === 0) note(`${folder}: no converted models; \`tinygptv convert\` makes them`);
    for (const path of found) {
      try {
        const model = await measureModel(path, await readManifest(path));
        if (json) printJson(model);
        else show(model);
      } catch (error) {
        // One that is damaged hides no other.
        if (!(error instanceof TinyGptvError)) throw error;
        note(explain(error, false).message);
        process.exitCode = exitCodes.failure;
      }
    }
  }
}

function show(model: MeasuredModel): void {
  const { folder, name, weights, bytes, common, levels, adapters } = model;
  printLine(`${folder}: ${name}, ${weights} weights, ${formatBytes(bytes)}`);
  const rows = levels.map(({ level, isDefault, bytes: size, shared, copies }) => [
    `  ${level}`,
    formatBytes(size),
    [
      ...(isDefault ? ["default"] : []),
      ...(shared > 0 ? [`${formatBytes(shared)} shared with other levels`] : []),
      ...(copies > 0 ? [`${formatBytes(copies)} of copies for quick loads`] : []),
    ].join(", "),
  ]);
  const beside = adapters.map((one) => [`  +${one.name}`, formatBytes(one.bytes), "adapter"]);
  const all = ["  every level", formatBytes(common), "embeddings and tokenizer"];
  printLine(table([...rows, all, ...beside]));
}

async function removeSome(argument: string, { level, yes }: RemoveFlags): Promise<void> {
  const { folder: model, adapter } = await splitFolder(argument);
  const before = await readManifest(model);
  const { removeAdapter, removeCopies, removeModel } = await import("../models/removeModel.ts");
  if (adapter !== undefined) {
    if (level !== undefined) throw usageError("level: want none with an adapter, which all share");
    if (!yes && !(await confirm(`Remove ${argument}?`))) return;
    note(`${argument}: removed, ${formatBytes(await removeAdapter(model, adapter))}`);
    return;
  }
  const { measureModel } = await import("../models/measure.ts");
  const { removeLevel } = await import("@tinygptv/convert");
  const { bytes } = await measureModel(model, before);
  if (level === undefined) {
    if (!yes && !(await confirm(`Remove ${model} (${formatBytes(bytes)})?`))) return;
    const left = await removeModel(model, before);
    note(`${model}: removed, ${formatBytes(bytes)}`);
    if (left.length > 0) note(`${model}: kept what is not the model's: ${left.join(", ")}`);
    return;
  }
  if (!yes && !(await confirm(`Remove level ${level} of ${model}?`))) return;
  const after = await removeLevel(model, level);
  await removeCopies(model, before, after);
  const { bytes: rest } = await measureModel(model, after);
  note(`${model}: level ${level} removed, ${formatBytes(bytes - rest)}`);
}
