import { Command } from "commander";
import type { EvalFlags } from "../eval/evalModel.ts";
import type { ReportFlags } from "../eval/evalReport.ts";
import { executionOptions, levelOption, questionOptions, wholeNumber } from "./options.ts";

export function evalCommand(): Command {
  const report = new Command("report")
    .summary("runs side by side")
    .description(
      "Compares runs: figures with 95% intervals, whether later runs are really better or worse than the first, and by kind of question.",
    )
    .argument("<runs...>", "folders of runs, the one to compare with first")
    .option("--html <file>", "write a page of its own too, with pictures where runs disagree")
    .option("--data <folder>", "where the pictures are now, if not where the run had them")
    .option("--json", "print everything as JSON")
    .exitOverride()
    .action(async (runs: string[], _flags: ReportFlags, command: Command) => {
      const { evalReport } = await import("../eval/evalReport.ts");
      // Options that `eval` has too are read by it, wherever they stand.
      await evalReport(runs, command.optsWithGlobals<ReportFlags>());
    });
  const command = new Command("eval")
    .summary("benchmarks: VSR, GQA, VizWiz, RefCOCO, captions …, or one's own questions")
    .description(
      "Asks a model the questions of a benchmark and scores the answers by the reference's rule and the official one. A run that was stopped goes on where it was: say the same again.",
    )
    .argument(
      "[model]",
      "model folder, +NAME for an adapter beside it; with --url the model's name there",
    )
    .option("--benchmark <name>", "which one (docs/evaluation.md); own for one's own questions")
    .option("--data <path>", "folder of the data set as it is distributed, or a file of it")
    .option("--images <folder>", "where its pictures are, if not below --data")
    .option("--split <names>", "splits, separated by commas", (text) => text.split(","))
    .option("--limit <count>", "questions at most, taken evenly from all", wholeNumber(1))
    .option("--url <address>", "ask an endpoint: ours, or any of OpenAI's form (OPENAI_API_KEY)")
    .option("--batch <n>", "questions asked at once", wholeNumber(1), 8)
    .option("--out <folder>", "folder of the run (default: below runs)")
    .option("--json", "print the scores as JSON");
  levelOption(command, ["<level>", "quantization level (default: the model's)"], String);
  executionOptions(command);
  return questionOptions(command)
    .action(async (model: string | undefined, flags: EvalFlags) => {
      const { evalModel } = await import("../eval/evalModel.ts");
      await evalModel(model, flags);
    })
    .addCommand(report);
}
