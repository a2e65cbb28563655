/** Runs the endpoint: `node functions/inference/src/main.ts`, see docs/endpoint.md. */
import { openEndpoint } from "./node.ts";
import { runServer } from "./run.ts";

await runServer(await openEndpoint(process.env));
