/** FOLDER: opens a model's graphs as a device runs them; ONNX Runtime says on standard error where it puts each node. */
import { writeSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { readModel } from "../../lib/graph/src/disk.ts";
import { encodeOverData } from "../../lib/graph/src/index.ts";
import { components } from "../../lib/model/src/manifest.ts";
import { readManifest } from "../../lib/model/src/readManifest.ts";
import { graphsOf } from "../../lib/runtime/src/engine/parts.ts";
import { deviceGraph } from "../../lib/runtime/src/session/deviceGraphs.ts";

/** Past the runtime, which keeps such words to itself. */
const requireFromRuntime = createRequire(
  new URL("../../lib/runtime/package.json", import.meta.url),
);
const { InferenceSession } = requireFromRuntime("onnxruntime-node") as {
  InferenceSession: { create(graph: Uint8Array, options: object): Promise<unknown> };
};

const [folder, level] = process.argv.slice(2) as [string, string];
const manifest = await readManifest(folder);
const files = graphsOf(manifest, level);
for (const component of components) {
  const path = join(folder, files[component]);
  const form = { attention: "inPlace", precision: "float32" } as const;
  const graph = deviceGraph(component, await readModel(path), manifest.config, form);
  writeSync(2, `graph ${component}\n`); // at once, among its words
  await InferenceSession.create(await encodeOverData(graph), {
    executionProviders: ["webgpu"],
    logSeverityLevel: 0,
    extra: { session: { model_external_initializers_file_folder_path: dirname(path) } },
  });
}
