import { Command } from "commander";
import type { ChatFlags } from "../chat/chat.ts";
import { executionOptions, levelOption, questionOptions } from "./options.ts";

export function chatCommand(): Command {
  const command = new Command("chat")
    .summary("a conversation about pictures, in the terminal")
    .description(
      "Talks with a converted model: each line is a question; /help lists what else a line may be.",
    )
    .argument("<model>", "model folder, as convert makes it; +NAME for an adapter beside it")
    .argument("[picture...]", "pictures for the first question")
    .option("--json", "print each answer as one JSON object");
  levelOption(command, ["<level>", "quantization level (default: the model's)"], String);
  executionOptions(command);
  return questionOptions(command).action(
    async (model: string, pictures: string[], flags: ChatFlags) => {
      const { chat } = await import("../chat/chat.ts");
      await chat(model, pictures, flags);
    },
  );
}
