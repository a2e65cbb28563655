import { Command, CommanderError } from "commander";
import manifest from "../package.json" with { type: "json" };
import { adapterCommand } from "./commands/adapter.ts";
import { askCommand } from "./commands/ask.ts";
import { chatCommand } from "./commands/chat.ts";
import { compareCommand } from "./commands/compare.ts";
import { convertCommand } from "./commands/convert.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { evalCommand } from "./commands/eval.ts";
import { inspectCommand } from "./commands/inspect.ts";
import { mergeCommand } from "./commands/merge.ts";
import { modelsCommand } from "./commands/models.ts";
import { notebookCommand } from "./commands/notebook.ts";
import { prepackCommand } from "./commands/prepack.ts";
import { pullCommand } from "./commands/pull.ts";
import { quantizeCommand } from "./commands/quantize.ts";
import { serveCommand } from "./commands/serve.ts";
import { trainCommand } from "./commands/train.ts";
import { verifyCommand } from "./commands/verify.ts";
import { exitCodes, explain } from "./terminal/failure.ts";

/**
 * Runs one command.
 * @returns the exit code: 0 done, 1 failed or found a difference, 2 called wrongly, 130 interrupted
 */
export async function runProgram(argv: readonly string[]): Promise<number> {
  const program = createProgram();
  try {
    await program.parseAsync(argv);
    // A command that looked and found something wrong has set it.
    return Number(process.exitCode ?? exitCodes.ok);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has said what is wrong already; asking for help is not wrong.
      return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    }
    const { message, exitCode } = explain(
      error,
      program.opts<{ debug?: boolean }>().debug ?? false,
    );
    process.stderr.write(`${message}\n`);
    return exitCode;
  }
}

function createProgram(): Command {
  const program = new Command("tinygptv")
    .description("TinyGPT-V: convert published checkpoints to ONNX, check them, ask about pictures")
    .version(manifest.version)
    .option("--debug", "show where an error comes from")
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true });
  for (const command of [
    askCommand,
    chatCommand,
    convertCommand,
    quantizeCommand,
    prepackCommand,
    compareCommand,
    trainCommand,
    adapterCommand,
    mergeCommand,
    evalCommand,
    verifyCommand,
    inspectCommand,
    modelsCommand,
    notebookCommand,
    serveCommand,
    pullCommand,
    doctorCommand,
  ]) {
    program.addCommand(command());
  }
  // Instead of ending the process, commander throws: exit codes are ours.
  for (const command of [program, ...program.commands]) command.exitOverride();
  return program;
}
