import { createInterface } from "node:readline/promises";
import { usageError } from "./failure.ts";
import { isTerminal } from "./output.ts";

/**
 * Asks whether to go on; anything but yes means no.
 * @throws TinyGptvError "parameter" where nobody is there to be asked
 */
export async function confirm(question: string): Promise<boolean> {
  if (!isTerminal(process.stdin))
    throw usageError(`${question} There is no terminal to ask on: say --yes`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
