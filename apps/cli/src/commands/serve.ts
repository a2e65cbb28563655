import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { exists } from "@tinygptv/model/disk";
import { TinyGptvError } from "@tinygptv/protocol";
import { note } from "../terminal/output.ts";
import { executionOptions, type ExecutionFlags } from "./options.ts";

interface ServeFlags extends ExecutionFlags {
  host?: string;
  port?: string;
  playground: boolean;
  pageModels?: boolean;
  allowTraining?: boolean;
}

export function serveCommand(): Command {
  const command = new Command("serve")
    .summary("endpoint and playground, until Ctrl-C")
    .description(
      "Serves the endpoint and the playground. Keys, limits, store and the rest are set by environment variables (docs/endpoint.md).",
    )
    .argument("[model...]", "model folders, or store:NAME (default: TINYGPTV_MODELS)")
    .option("--host <host>", "address to listen on (default: HOST, or 127.0.0.1)")
    .option("--port <port>", "port to listen on, 0 for any (default: PORT, or 8000)")
    .option("--no-playground", "the endpoint alone")
    .option(
      "--page-models",
      "let the playground download the models and run them in the browser, for which no key is asked (default: where there are no keys)",
    )
    .option("--no-page-models", "do not")
    .option(
      "--allow-training",
      "let callers fine-tune the models; kept in TINYGPTV_TRAINING, or data/training",
    )
    .action(serve);
  return executionOptions(command);
}

async function serve(models: string[], flags: ServeFlags): Promise<void> {
  const { host, port, playground, pageModels, allowTraining, provider, precision } = flags;
  const site = playground ? await playgroundFolder() : undefined;
  const { readEnvironment, runEndpoint } = await import("@tinygptv/inference/run");
  const environment = readEnvironment({
    ...(allowTraining && { TINYGPTV_TRAINING: "data/training" }),
    ...process.env,
    ...(host !== undefined && { HOST: host }),
    ...(port !== undefined && { PORT: port }),
    ...(provider !== undefined && { TINYGPTV_PROVIDER: provider }),
    ...(precision !== undefined && { TINYGPTV_PRECISION: precision }),
  });
  await runEndpoint(models.length > 0 ? { ...environment, models } : environment, {
    ...(site !== undefined && { site }),
    ...(pageModels !== undefined && { offersModels: pageModels }),
    onListening: (url) => note(`\nTinyGPT-V is at ${url} (API: ${url}/docs). Ctrl-C ends it.\n`),
  });
}

/** Of the package beside this one, which has nothing but what its build wrote. */
async function playgroundFolder(): Promise<string> {
  const page = fileURLToPath(import.meta.resolve("@tinygptv/playground/site/index.html"));
  if (await exists(page)) return dirname(page);
  throw new TinyGptvError(
    "io",
    `playground: want it built, got no ${page}; \`pnpm --dir apps/playground run build\` builds it, --no-playground goes without`,
  );
}
