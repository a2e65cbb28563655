/** Runs the endpoint: `node functions/inference/src/main.ts`, see docs/endpoint.md. */
import { runProgram } from "./run.ts";

await runProgram();
