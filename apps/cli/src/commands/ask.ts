import { Command } from "commander";
import type { AskFlags } from "../ask/ask.ts";
import { executionOptions, levelOption, questionOptions, wholeNumber } from "./options.ts";

export function askCommand(): Command {
  const command = new Command("ask")
    .summary("an answer about pictures, or many")
    .description("Asks a converted model about pictures.")
    .argument("<model>", "model folder, as convert makes it; +NAME for an adapter beside it")
    .argument("[image...]", "pictures, in the order of the prompt")
    .option("--prompt <text>", "the question")
    .option("--jsonl <file>", "many requests, one JSON object a line (docs/cli.md)")
    .option("--draw <file>", "write a copy of the last picture with the answer's boxes")
    .option("--batch <n>", "requests of a --jsonl file worked on at once", wholeNumber(1), 8)
    .option("--json", "print the answer as one JSON object");
  levelOption(command, ["<level>", "quantization level (default: the model's)"], String);
  executionOptions(command);
  return questionOptions(command).action(
    async (model: string, images: string[], flags: AskFlags) => {
      const { ask } = await import("../ask/ask.ts");
      await ask(model, images, flags);
    },
  );
}
