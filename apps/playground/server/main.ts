/** Endpoint and playground in one process: `node apps/playground/server/main.ts`, after the app was built. */
import { runProgram } from "@tinygptv/inference/run";
import { withPages, type PageHandler } from "./app.ts";

/** Written by the build, hence not known to the compiler. */
const built: string = new URL("../build/handler.js", import.meta.url).href;
const { handler } = (await import(built)) as { handler: PageHandler };

await runProgram((app) => withPages(app, handler));
