import { Command } from "commander";
import { executionOptions } from "./options.ts";
import type { NotebookFlags } from "../notebook/runFile.ts";

export function notebookCommand(): Command {
  const run = new Command("run")
    .summary("run all cells of a notebook")
    .description(
      "Runs a notebook's cells and prints what they answer. Exits with 1 where a run failed.",
    )
    .argument("<file>", "notebook (.md or .ipynb)")
    .option("--model <folder>", "model folder", "models/nano/converted")
    .option("--write", "put the outputs into the file (and the side folder of a .md)")
    .option("--json", "print one JSON object a cell")
    .exitOverride()
    .action(async (file: string, flags: NotebookFlags) => {
      const { runFile } = await import("../notebook/runFile.ts");
      await runFile(file, flags);
    });
  executionOptions(run);
  return new Command("notebook").summary("run notebooks of the playground").addCommand(run);
}
