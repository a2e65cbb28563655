/** Runs the endpoint: `node functions/inference/src/main.ts`, see docs/endpoint.md. */
import { TinyGptvError } from "@tinygptv/protocol";
import { readEnvironment, runEndpoint } from "./run.ts";

try {
  await runEndpoint(readEnvironment(process.env));
} catch (error) {
  if (!(error instanceof TinyGptvError)) throw error;
  // What keeps it from starting, in a line.
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
