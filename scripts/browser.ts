import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { StepError, mustRun, step } from "./step.ts";

/** The machine a browser is looked for on; a parameter so that others can be tried. */
export interface Machine {
  env: { CHROMIUM_PATH?: string; PATH?: string };
  isRoot: boolean;
  exists: (path: string) => boolean;
  run: (command: string, args: readonly string[]) => Promise<void>;
}

const thisMachine: Machine = {
  env: process.env,
  isRoot: process.getuid?.() === 0,
  exists: existsSync,
  run: (command, args) => mustRun(command, args, { env: { DEBIAN_FRONTEND: "noninteractive" } }),
};

/** Chromium's engine without what a window needs: the tests take a quarter less of the processor in it. */
const shell = "chromium-headless-shell";
const programs = [shell, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Where macOS keeps it. */
const applications = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/**
 * Path of the Chromium or Chrome for the browser tests: the one named in
 * CHROMIUM_PATH, else one that is installed.
 * @throws StepError where the named one does not exist
 */
export function findBrowser(machine = thisMachine): string | undefined {
  const named = machine.env.CHROMIUM_PATH;
  if (named && !machine.exists(named)) {
    throw new StepError(`CHROMIUM_PATH: want a program, got ${named}, which does not exist`);
  }
  return (
    named ||
    programs.map((program) => onPath(program, machine)).find(Boolean) ||
    applications.find(machine.exists)
  );
}

/**
 * As `findBrowser`; where there is none, installs Debian's if that needs no password.
 * @throws StepError saying what to do
 */
export async function bringBrowser(machine = thisMachine): Promise<string> {
  if (!findBrowser(machine) && machine.isRoot && onPath("apt-get", machine)) {
    await step("Installing Chromium for the browser tests", async () => {
      await machine.run("apt-get", ["update", "-qq"]);
      await machine.run("apt-get", ["install", "-y", "-qq", shell]);
    });
  }
  const path = findBrowser(machine);
  if (path) return path;
  throw new StepError(
    `The browser tests need Chromium. Install it (Debian: \`sudo apt-get install -y ${shell}\`; ` +
      "elsewhere Chrome will do) or set CHROMIUM_PATH to one, then run `npm test` again.",
  );
}

function onPath(program: string, { env, exists }: Machine): string | undefined {
  const folders = (env.PATH ?? "").split(delimiter);
  return folders.map((folder) => join(folder, program)).find(exists);
}
