/** The real program as a process, for tests. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll } from "vitest";

export interface CliResult {
  /** Exit code, or the signal that ended it. */
  end: number | NodeJS.Signals;
  stdout: string;
  stderr: string;
}

export const repository = fileURLToPath(new URL("../../../..", import.meta.url));
const program = fileURLToPath(new URL("../main.ts", import.meta.url));

/**
 * @param args in groups where that reads better
 * @param onStart may talk to the process, or send it signals
 */
export async function runCli(
  args: readonly (string | readonly string[])[],
  onStart: (child: ChildProcess) => void = () => {},
): Promise<CliResult> {
  // Set as on a build server, where libraries for colours tend to switch them on.
  const env = { ...process.env, CI: "true" };
  const child = spawn(process.execPath, [program, ...args.flat()], { cwd: repository, env });
  const result: CliResult = { end: 0, stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => (result[name] += text));
  }
  onStart(child);
  result.end = await new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? signal!));
  });
  return result;
}

/** A folder for the tests of a file; call at the top. */
export function temporaryFolder(): { path(...names: string[]): string } {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tinygptv-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return { path: (...names) => join(folder, ...names) };
}
