/**
 * `npm start`, `npm test`, `npm run static` and `npm run tinygptv`. Runs on whatever Node the
 * machine has: finds or fetches the Node and pnpm the project needs, then hands
 * over to a program that runs under that Node.
 */
import { fileURLToPath } from "node:url";
import { runProgram } from "./program.mjs";
import { bringToolchain } from "./toolchain.mjs";

const programs = {
  start: "scripts/start.ts",
  test: "scripts/test.ts",
  static: "scripts/static.ts",
  tinygptv: "apps/cli/src/main.ts",
};

const root = fileURLToPath(new URL("..", import.meta.url));
const [command, ...args] = process.argv.slice(2);
const program = Object.entries(programs).find(([name]) => name === command)?.[1];

if (program === undefined) {
  console.error(`command: want one of ${Object.keys(programs).join(", ")}, got ${command}`);
  process.exitCode = 2;
} else {
  process.chdir(root);
  if (process.env.npm_lifecycle_event !== undefined) endWithShell();
  const path = await bringToolchain();
  if (path === undefined) {
    process.exitCode = 1;
  } else {
    const { code } = await runProgram("node", [program, ...args], { env: { PATH: path } });
    process.exitCode = code;
  }
}

/**
 * A signal to npm ends the shell between npm and us and goes no further, since
 * not every shell hands it on. So the end of that shell counts as the signal.
 */
function endWithShell() {
  const shell = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(watch);
    process.kill(process.pid, "SIGTERM");
  }, 200);
  watch.unref();
}
