/**
 * Builds the edge function: for Vercel into `functions/edge/.vercel/output`,
 * for Cloudflare's workerd into `functions/edge/dist/worker.js`, see
 * docs/deployment.md:
 *
 *     pnpm --dir functions/edge run build [--site FOLDER] [--out FOLDER]
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { bundle, reportSizes, writeVercelOutput } from "@tinygptv/deploy";
import { variableNames } from "./src/bindings.ts";

const { values } = parseArgs({
  options: { site: { type: "string" }, out: { type: "string" } },
});
const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const { out = path(".") } = values;

/** Bytes; Vercel's bound for the packed code on its smallest plan, Cloudflare's is three times that. */
const limit = 1e6;

const worker = join(out, "dist");
await bundle({ entries: { worker: path("src/worker.ts") }, out: worker, platform: "edge" });
process.stdout.write(`${await reportSizes(worker, limit)}\n`);

const built = await writeVercelOutput(join(out, ".vercel/output"), {
  site: values.site,
  // A variable that is not named here does not reach the function.
  config: { runtime: "edge", entrypoint: "index.js", envVarsInUse: variableNames },
  async write(folder) {
    await bundle({ entries: { index: path("src/vercel.ts") }, out: folder, platform: "edge" });
  },
});
process.stdout.write(`${await reportSizes(built, limit)}\n`);
