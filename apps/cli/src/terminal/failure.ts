import { TinyGptvError } from "@tinygptv/protocol";
import { coloursFor } from "./output.ts";

export const exitCodes = { ok: 0, failure: 1, usage: 2, interrupted: 130 } as const;

/** The command line itself is wrong; found after commander had read it. */
export function usageError(message: string): TinyGptvError {
  return new TinyGptvError("parameter", message);
}

/** What an error comes to: one line (or the stack, asked for with `--debug`) and an exit code. */
export function explain(error: unknown, debug: boolean): { message: string; exitCode: number } {
  const { red } = coloursFor(process.stderr);
  return {
    message: debug ? stackOf(error) : `${red("error:")} ${lineOf(error)}`,
    exitCode: error instanceof TinyGptvError ? exitCodeOf(error) : exitCodes.failure,
  };
}

function exitCodeOf({ code }: TinyGptvError): number {
  if (code === "aborted") return exitCodes.interrupted;
  return code === "parameter" ? exitCodes.usage : exitCodes.failure;
}

function lineOf(error: unknown): string {
  if (error instanceof TinyGptvError) return error.message;
  return `unexpected: ${error instanceof Error ? error.message : String(error)} (--debug shows more)`;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? error.message;
  return error.cause === undefined ? own : `${own}\ncaused by: ${stackOf(error.cause)}`;
}
