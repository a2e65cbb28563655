/**
 * Builds the endpoint for Vercel into `functions/inference/.vercel/output`, see
 * docs/deployment.md:
 *
 *     pnpm --dir functions/inference run build [MODEL FOLDER ...] [--no-models] [--site FOLDER] [--out FOLDER]
 */
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { bundle, copyInstalled, reportSizes, writeVercelOutput } from "@tinygptv/deploy";
import { manifestName } from "@tinygptv/model";
import { readManifest } from "@tinygptv/model/disk";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    models: { type: "boolean", default: true },
    site: { type: "string" },
    out: { type: "string" },
  },
});
const given = positionals.length > 0 ? positionals : ["models/nano/converted"];
const models = values.models ? given : [];

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const { out = path(".") } = values;
/** What Vercel lets a function have, unpacked. */
const limit = 250e6;

/** What the manifest lists, and it: the pre-packed copies beside them are for the machine they were made on. */
async function copyModel(folder: string, to: string): Promise<void> {
  const { files } = await readManifest(folder);
  for (const name of [...files.map((file) => file.path), manifestName]) {
    await mkdir(dirname(join(to, name)), { recursive: true });
    await copyFile(join(folder, name), join(to, name));
  }
}

const built = await writeVercelOutput(join(out, ".vercel/output"), {
  site: values.site,
  config: {
    runtime: "nodejs22.x",
    handler: "index.js",
    launcherType: "Nodejs",
    shouldAddHelpers: false,
    supportsResponseStreaming: true,
    // An answer may take as long by default, see TINYGPTV_GENERATION_MS.
    maxDuration: 300,
  },
  async write(folder) {
    const bundled = await bundle({
      entries: { index: path("src/vercel.ts") },
      out: folder,
      platform: "node",
      external: ["onnxruntime-node", "sharp"],
    });
    await copyInstalled(folder, bundled);
    await writeFile(join(folder, "package.json"), '{ "type": "module" }\n');
    for (const [place, model] of models.entries())
      await copyModel(model, join(folder, "models", String(place)));
  },
});
process.stdout.write(`${await reportSizes(built, limit)}\n`);
