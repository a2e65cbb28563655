/**
 * Sets everything up, then serves endpoint and playground until told to end.
 * Environment variables are those of the endpoint (HOST, PORT, TINYGPTV_...).
 */
import { createServer } from "node:net";
import { runProgram } from "./program.mjs";
import { buildPlayground, convertNano, installPackages, placeNano } from "./setUp.ts";
import { StepError, explain } from "./step.ts";

interface Address {
  host: string;
  port: number;
}

try {
  await installPackages();
  const { readEnvironment } = await import("../functions/inference/src/environment.ts");
  const environment = readEnvironment(process.env);
  await assertFree(environment);
  await convertNano();
  await buildPlayground();
  await placeNano();
  const { code } = await runProgram("node", [
    "apps/cli/src/main.ts",
    "serve",
    // Without keys only this machine may call, and who sits at it may train.
    ...(environment.config.keys.length === 0 ? ["--allow-training"] : []),
  ]);
  process.exit(code);
} catch (error) {
  explain(error);
  process.exitCode = 1;
}

/** Finds out before minutes of building whether the address can be served. */
async function assertFree({ host, port }: Address): Promise<void> {
  const trial = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      trial.once("error", reject).listen({ host, port }, resolve);
    });
  } catch (error) {
    throw new StepError(
      `${host}:${port} cannot be served (${(error as Error).message}). Another port may be free: PORT=8001 npm start`,
    );
  } finally {
    trial.close();
  }
}
