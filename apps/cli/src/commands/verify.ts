import { Command } from "commander";
import type { VerifyReport } from "@tinygptv/evaluate";
import { exitCodes } from "../terminal/failure.ts";
import { executionOptions, levelOption, type ExecutionFlags } from "./options.ts";
import { coloursFor, printJson, printLine, table } from "../terminal/output.ts";

interface VerifyFlags extends ExecutionFlags {
  golden: string;
  level?: string;
  json?: boolean;
}

export function verifyCommand(): Command {
  const command = new Command("verify")
    .summary("a model against golden data of the reference")
    .description(
      "Runs a converted model against golden data of the reference, stage by stage and answer by answer. Exits 1 where anything differs.",
    )
    .argument("[model]", "model folder; sets of pictures or texts alone need none")
    .requiredOption("--golden <file>", "golden.json of a set in the fixtures' format")
    .option("--json", "print the report as JSON")
    .action(verifyModel);
  executionOptions(command);
  return levelOption(command, ["<level>", "quantization level (default fp32)"], String);
}

async function verifyModel(model: string | undefined, flags: VerifyFlags): Promise<void> {
  const { verify } = await import("@tinygptv/evaluate");
  const report = await verify({
    golden: flags.golden,
    ...(model === undefined ? {} : { model }),
    ...(flags.level === undefined ? {} : { level: flags.level }),
    provider: flags.provider,
    precision: flags.precision,
  });
  if (flags.json) printJson(report);
  else printReport(report);
  if (report.failed > 0) process.exitCode = exitCodes.failure;
}

function printReport({ passed, failed, skipped, stages, cases }: VerifyReport): void {
  const { green, red, dim } = coloursFor(process.stdout);
  if (stages.length > 0) {
    const rows = stages.map(({ stage, difference, tolerance, passed: isEqual }) => [
      isEqual ? "ok" : "DIFFERS",
      stage,
      difference.toExponential(1),
      tolerance.toExponential(0),
    ]);
    printLine(table([["", "stage", "largest difference", "tolerance"], ...rows]));
    printLine("");
  }
  if (cases.length > 0) {
    const rows = cases.map((one) => [
      one.failed === 0 ? "ok" : "DIFFERS",
      one.kind,
      `${one.passed} of ${one.passed + one.failed} equal`,
    ]);
    printLine(table([["", "cases", ""], ...rows]));
    printLine("");
  }
  for (const { kind, failures } of cases) {
    for (const failure of failures) printLine(red(`${kind}: ${failure}`));
  }
  for (const reason of skipped) printLine(dim(`not run: ${reason}`));
  const verdict = `${passed} passed, ${failed} failed`;
  printLine(failed === 0 ? green(verdict) : red(verdict));
}
