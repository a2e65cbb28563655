import type { Manifest } from "@tinygptv/model";
import { adapterId } from "@tinygptv/protocol";
import type { ModelInfo } from "@tinygptv/protocol";
import type { ListedAdapter } from "./adapters.ts";
import { memoryPlan, totalOf } from "./memoryPlan.ts";
import type { MemoryOptions } from "./memoryPlan.ts";
import { graphsOf } from "./parts.ts";

/** All levels of a model as they are listed before any is loaded, the default one first. */
export function levelsOf(manifest: Manifest, memory: MemoryOptions = {}): ModelInfo[] {
  const { [manifest.defaultLevel]: _, ...others } = manifest.levels;
  return [manifest.defaultLevel, ...Object.keys(others)].map((level) =>
    describe(manifest, level, memory),
  );
}

/** A level that is not loaded. @throws TinyGptvError "model" where the manifest has no such one */
export function describe(manifest: Manifest, level: string, memory: MemoryOptions): ModelInfo {
  const { config } = manifest;
  const graphs = Object.values(graphsOf(manifest, level));
  const used = new Set(graphs.flatMap((file) => [file, `${file}.data`]));
  const graphBytes = sum(manifest.files.filter(({ path }) => used.has(path)));
  const shared = sum(
    manifest.files.filter(
      ({ path }) => path === manifest.embeddings.file || path.startsWith(`${manifest.tokenizer}/`),
    ),
  );
  return {
    id: `${manifest.name}:${level}`,
    name: manifest.name,
    level,
    weights: manifest.weights,
    fileBytes: graphBytes + shared,
    memoryBytes: totalOf(memoryPlan(manifest, level, memory)),
    contextLength: config.phi.contextLength,
    imageSize: config.vision.imageSize,
    loaded: false,
    executionProvider: undefined,
    execution: undefined,
    integerWeights: undefined,
  };
}

/** A level with an adapter beside it, as it is listed. */
export function withAdapter(info: ModelInfo, { name, bytes }: ListedAdapter): ModelInfo {
  return {
    ...info,
    id: adapterId(info.id, name),
    adapter: name,
    fileBytes: info.fileBytes + bytes,
    memoryBytes: info.memoryBytes + bytes,
  };
}

function sum(files: readonly { bytes: number }[]): number {
  return files.reduce((total, { bytes }) => total + bytes, 0);
}
