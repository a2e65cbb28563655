import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import { precisions, providers, tasks, templates } from "@tinygptv/protocol";
import type { PrecisionChoice, Provider } from "@tinygptv/protocol";
import { decodingOptions } from "../ask/decodingOptions.ts";

/** Reader of an option's value: a whole number of at least `min`. */
export function wholeNumber(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= min) return value;
    throw new InvalidArgumentError(`Want a whole number from ${min}, got ${text}.`);
  };
}

/** The option for what runs a model. */
export function providerOption(command: Command): Command {
  return command.addOption(
    new Option(
      "--provider <name>",
      "what runs the model: cpu, webgpu (the GPU), cuda (the picture side), or auto, the best that computes right",
    ).choices(providers),
  );
}

/** The same, and in what precision. */
export function executionOptions(command: Command): Command {
  return providerOption(command).addOption(
    new Option(
      "--precision <type>",
      "in which the language model computes on a GPU (default: the best that is right there, float32 for the level fp32)",
    ).choices(precisions),
  );
}

/** Values of `executionOptions`. */
export interface ExecutionFlags {
  provider?: Provider;
  precision?: PrecisionChoice;
}

/** How a command opens its model: level and what runs it, each only where it is given. */
export function howToOpen({ level, provider, precision }: ExecutionFlags & { level?: string }): {
  level?: string;
  provider?: Provider;
  precision?: PrecisionChoice;
} {
  return {
    ...(level !== undefined && { level }),
    ...(provider !== undefined && { provider }),
    ...(precision !== undefined && { precision }),
  };
}

/** The option for what a stage file does not say. */
export function alphaOption(command: Command): Command {
  return command.option(
    "--alpha <number>",
    "of the LoRA in a stage file, which says its rank only (default: the published 16 for rank 64)",
    (text) => {
      const value = Number(text);
      if (value > 0) return value;
      throw new InvalidArgumentError(`Want a number above 0, got ${text}.`);
    },
  );
}

/** Reader of a list of quantization levels. */
export function levelList(text: string): string[] {
  const levels = text.split(",").map((name) => name.trim());
  if (levels.every(Boolean)) return levels;
  throw new InvalidArgumentError(`Want levels separated by commas, got ${text}.`);
}

/**
 * The option `--level` of a command, and `--dtype`, which means the same: the
 * name that other converters of models have for it.
 */
export function levelOption<T>(
  command: Command,
  [value, description]: readonly [value: string, description: string],
  read: (text: string) => T,
  { isRequired = false, ifNone }: { isRequired?: boolean; ifNone?: T } = {},
): Command {
  const option = new Option(`--level ${value}`, description).argParser(read);
  const alias = new Option(`--dtype ${value}`, "the same").argParser(read).conflicts("level");
  if (ifNone !== undefined) option.default(ifNone);
  command.addOption(option.makeOptionMandatory(isRequired)).addOption(alias);
  return command.on("option:dtype", () => {
    // As if it were the default: what is given by its own name conflicts.
    if (command.getOptionValueSource("level") !== "cli")
      command.setOptionValueWithSource("level", command.getOptionValue("dtype"), "default");
  });
}

/** What may be chosen for a question: its form, and every decoding parameter. */
export function questionOptions(command: Command): Command {
  command
    .addOption(new Option("--task <task>", "task tag before the prompt").choices(tasks))
    .addOption(
      new Option("--template <name>", "prompt template (default stage4)").choices(templates),
    )
    .addOption(
      new Option(
        "--image-mode <mode>",
        "read pictures for people or as the reference does",
      ).choices(["display", "reference"]),
    );
  for (const option of decodingOptions()) command.addOption(option);
  return command;
}
