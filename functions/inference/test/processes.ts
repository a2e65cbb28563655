import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface Running {
  child: ChildProcess;
  /** The next line it prints. */
  line(): Promise<string>;
  /** Its exit code, null where a signal ended it. */
  exited: Promise<number | null>;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** Runs a TypeScript file in a process of its own; what it writes to stderr shows up in the test's. */
export function runProcess(file: URL, args: string[]): Running {
  const stdio = ["ignore", "pipe", "inherit"] as const;
  const child = spawn(process.execPath, [fileURLToPath(file), ...args], { stdio: [...stdio] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const exited = once(child, "exit").then(([code]) => code as number | null);
  return {
    child,
    line: async () => (await lines.next()).value ?? "(ended)",
    exited,
    async kill(signal = "SIGKILL") {
      child.kill(signal);
      await exited;
    },
  };
}
