import { adviceOn } from "./advice.mjs";
import { runProgram } from "./program.mjs";
import type { ProgramOptions } from "./program.mjs";

/** A step failed for a reason that its message explains to the person at the terminal. */
export class StepError extends Error {}

/** Does one step of the set-up, saying what it is and how long it took. */
export async function step(title: string, work: () => Promise<void>): Promise<void> {
  const start = performance.now();
  console.log(`${title} ...`);
  await work();
  console.log(`  done in ${seconds(performance.now() - start)}`);
}

/**
 * Runs a program that has to succeed; ends us where it was interrupted. What it
 * writes is shown as it comes, with `output: "keep"` only if it fails.
 * @throws StepError with what may help
 */
export async function mustRun(
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<void> {
  const { code, output, interrupted } = await runProgram(command, args, {
    output: "both",
    ...options,
  });
  if (interrupted) process.exit(code || 1);
  if (code === 0) return;
  if (options.output === "keep") console.error(output.trimEnd());
  throw new StepError(`${command} ended with code ${code}. ${adviceOn(output)}`);
}

/** Says what a failed step or a refused setting has to say; anything else is a bug and is shown whole. */
export function explain(error: unknown): void {
  const isMeant =
    error instanceof StepError || (error instanceof Error && error.name === "TinyGptvError");
  console.error(isMeant ? error.message : error);
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
