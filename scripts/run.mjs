/**
 * `npm start` and `npm test`. Runs on whatever Node the machine has: finds or
 * fetches the Node and pnpm the project needs, then hands over to
 * `scripts/start.ts` or `scripts/test.ts`, which run under that Node.
 */
import { fileURLToPath } from "node:url";
import { runProgram } from "./program.mjs";
import { bringToolchain } from "./toolchain.mjs";

const commands = ["start", "test"];

const root = fileURLToPath(new URL("..", import.meta.url));
const command = process.argv[2] ?? "nothing";

if (!commands.includes(command)) {
  console.error(`command: want one of ${commands.join(", ")}, got ${command}`);
  process.exitCode = 2;
} else {
  process.chdir(root);
  const path = await bringToolchain();
  if (path === undefined) {
    process.exitCode = 1;
  } else {
    const { code } = await runProgram("node", [`scripts/${command}.ts`], { env: { PATH: path } });
    process.exitCode = code;
  }
}
