/** The parts of a model in a folder on disk. */
import { dirname, join } from "node:path";
import { readModel } from "@tinygptv/graph/disk";
import { loadTokenizer } from "@tinygptv/model/disk";
import type { ModelConfig } from "@tinygptv/model";
import { openEmbeddings } from "../session/embeddingsFile.ts";
import { openSession } from "../session/runtime.ts";
import type { ModelFiles } from "./modelFiles.ts";
import { adaptersIn } from "./adapterFiles.ts";
import { onDevice } from "./onDevice.ts";
import { openGraph } from "./openGraph.ts";
import type { GraphOptions } from "./openGraph.ts";
import { assembleParts } from "./parts.ts";
import type { OpenableModel, OpenedParts, Part } from "./parts.ts";

/** How parts are opened. */
export interface PartOptions extends GraphOptions {
  /** What keys and values of the language model may take; no limit unless given. */
  cacheBytes?: number | undefined;
}

/**
 * Opens the parts asked for, and what they stand on. Where one fails, those
 * opened before it are closed.
 * @throws TinyGptvError "model" naming the file at fault
 */
export function openParts<Wanted extends Part>(
  model: ModelFiles,
  wanted: readonly Wanted[],
  options: PartOptions = {},
): Promise<OpenedParts<Wanted>> {
  return assembleParts(inFolder(model, options), wanted, options.cacheBytes);
}

/** A model's files where they lie in a folder. */
export function inFolder(
  { folder, manifest, files }: ModelFiles,
  options: GraphOptions = {},
): OpenableModel {
  const { config, embeddings } = manifest;
  const { execution } = options;
  const threads = options.threads ?? threadsFor(config);
  const nameOf = (path: string) => join(folder, path);
  return {
    manifest,
    nameOf,
    graphs: files,
    openGraph: (path) =>
      execution?.provider === "cuda" && path !== files.phi
        ? openSession(nameOf(path), { threads, onCuda: true })
        : openGraph(folder, manifest, path, { ...options, threads }),
    onDevice:
      execution?.provider === "webgpu"
        ? onDevice(execution, config, async (component) => {
            const path = nameOf(files[component]);
            return { name: path, graph: await readModel(path), weights: dirname(path) };
          })
        : undefined,
    adapters:
      execution?.provider === "webgpu"
        ? undefined
        : adaptersIn({ folder, manifest, files }, { ...options, threads }),
    openTokenizer: () => loadTokenizer(nameOf(manifest.tokenizer)),
    async openEmbeddings() {
      const { vocabSize: rows, width } = config.phi;
      return openEmbeddings(nameOf(embeddings.file), { dtype: embeddings.dtype, rows, width });
    },
  };
}

/**
 * Threads for a model: operators of a small one are over before a second thread
 * has woken up, and waiting threads spin on cores that others need.
 * @returns undefined for all cores
 */
export function threadsFor({ phi }: ModelConfig): number | undefined {
  return phi.width < 1024 ? 1 : undefined;
}
