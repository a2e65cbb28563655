/** Sets everything up, then serves endpoint and playground until told to end. */
import { createServer } from "node:net";
import { runProgram } from "./program.mjs";
import { buildPlayground, convertNano, installPackages } from "./setUp.ts";
import { StepError, explain } from "./step.ts";

const host = process.env.HOST ?? "127.0.0.1";
const port = process.env.PORT ?? "3000";

try {
  await assertFree();
  await installPackages();
  await convertNano();
  await buildPlayground();
  const server = await runProgram("node", ["apps/playground/build/index.js"], {
    env: { HOST: host, PORT: port },
  });
  process.exitCode = server.code;
} catch (error) {
  explain(error);
  process.exitCode = 1;
}

/** Finds out before minutes of building whether the address can be served. */
async function assertFree(): Promise<void> {
  const trial = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      trial.once("error", reject).listen({ host, port: Number(port) }, resolve);
    });
  } catch (error) {
    throw new StepError(
      `http://${host}:${port} cannot be served: ${String(error)}. ` +
        "Another port may be free: PORT=3001 npm start",
    );
  } finally {
    trial.close();
  }
}
