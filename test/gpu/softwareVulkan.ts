/** Programs on software that passes for a GPU: SwiftShader, which comes with Chromium. It shows what is right, never what is fast. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Where Debian's package has it. */
const folder = "/usr/lib/chromium";
const driver = join(folder, "vk_swiftshader_icd.json");

/** What a process has to be started with: the loader reads it once. @param cache folder for verdicts of the self-test */
export function softwareVulkan(cache: string): NodeJS.ProcessEnv {
  if (!existsSync(driver))
    throw new Error(`${driver}: want SwiftShader, got no such file; install the package chromium`);
  return {
    ...process.env,
    LD_LIBRARY_PATH: folder,
    VK_ICD_FILENAMES: driver,
    XDG_CACHE_HOME: cache,
  };
}

/** Runs a program of ours. @returns what it printed */
export async function runNode(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ stdout: string; stderr: string }> {
  return run(process.execPath, args, { env, maxBuffer: 2 ** 26 });
}
