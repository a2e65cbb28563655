import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, join } from "node:path";

/** Signals that end a program; a child gets them when we do. */
const endings = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);

/**
 * @typedef {object} ProgramOptions
 * @property {Record<string, string>} [env] added to our own environment
 * @property {"show" | "keep" | "both"} [output] where stdout and stderr go: to
 *   ours, into the result, or both
 *
 * @typedef {object} ProgramResult
 * @property {number} code exit code; 128 + signal number where a signal ended
 *   it and 127 where it could not be started, as shells have it
 * @property {string} output what it wrote, where that is kept
 * @property {boolean} interrupted whether we were told to end while it ran
 */

/**
 * Runs a program to its end, without a shell. Signals that end us are passed on.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {ProgramOptions} [options]
 * @returns {Promise<ProgramResult>}
 */
export function runProgram(command, args, { env = {}, output = "show" } = {}) {
  return new Promise((resolve) => {
    const environment = { ...process.env, ...env };
    const start = startOf(command, args, { path: environment.PATH ?? "" });
    const child = spawn(start.file, start.args, {
      env: environment,
      stdio: output === "show" ? "inherit" : ["inherit", "pipe", "pipe"],
      windowsVerbatimArguments: start.isVerbatim,
    });

    let kept = "";
    for (const stream of /** @type {const} */ (["stdout", "stderr"])) {
      child[stream]?.setEncoding("utf8").on("data", (text) => {
        kept += text;
        if (output === "both") process[stream].write(text);
      });
    }

    let interrupted = false;
    /** @param {NodeJS.Signals} signal */
    const passOn = (signal) => {
      interrupted = true;
      // A terminal sends Ctrl-C to the child by itself.
      if (signal !== "SIGINT" || !hasTerminal()) child.kill(signal);
    };
    for (const signal of endings) process.on(signal, passOn);

    /** @param {number} code */
    const end = (code) => {
      for (const signal of endings) process.off(signal, passOn);
      resolve({ code, output: kept, interrupted });
    };
    child.on("error", (error) => {
      kept += `${error.message}\n`;
      if (output !== "keep") console.error(error.message);
      end(127);
    });
    child.on("close", (code, signal) => end(code ?? 128 + constants.signals[signal ?? "SIGKILL"]));
  });
}

/**
 * How a program is started. Windows starts only `.exe` files by itself; what npm
 * installs are `.cmd` files there, which its shell has to run.
 *
 * @param {string} command
 * @param {readonly string[]} args for a `.cmd` file without quotes and percent signs
 * @param {{ path: string, platform?: string, shell?: string, exists?: (path: string) => boolean }} machine
 */
export function startOf(command, args, machine) {
  const { path, platform = process.platform, shell = process.env.ComSpec ?? "cmd.exe" } = machine;
  const file = path
    .split(delimiter)
    .map((folder) => fileOf(command, folder, machine))
    .find(Boolean);
  if (platform !== "win32" || !file?.endsWith(".cmd")) {
    return { file: command, args: [...args], isVerbatim: false };
  }
  const line = [file, ...args].map((word) => `"${word}"`).join(" ");
  return { file: shell, args: ["/d", "/s", "/c", `"${line}"`], isVerbatim: true };
}

/**
 * The file of a program in a folder, undefined where it has none.
 *
 * @param {string} program
 * @param {string} folder
 * @param {{ platform?: string, exists?: (path: string) => boolean }} [machine]
 */
export function fileOf(program, folder, { platform = process.platform, exists = existsSync } = {}) {
  const suffixes = platform === "win32" ? [".exe", ".cmd"] : [""];
  return suffixes.map((suffix) => join(folder, program + suffix)).find((file) => exists(file));
}

function hasTerminal() {
  return [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
}
