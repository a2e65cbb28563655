/**
 * `npm start`, `npm test` and `npm run tinygptv`. Runs on whatever Node the
 * machine has: finds or fetches the Node and pnpm the project needs, then hands
 * over to a program that runs under that Node.
 */
import { fileURLToPath } from "node:url";
import { runProgram } from "./program.mjs";
import { bringToolchain } from "./toolchain.mjs";

const programs = {
  start: "scripts/start.ts",
  test: "scripts/test.ts",
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
  const path = await bringToolchain();
  if (path === undefined) {
    process.exitCode = 1;
  } else {
    const { code } = await runProgram("node", [program, ...args], { env: { PATH: path } });
    process.exitCode = code;
  }
}
