/** The pre-packed copies of a model's graphs on this machine (see session/prepacked.ts). */
import { join } from "node:path";
import { readManifest } from "@tinygptv/model/disk";
import { copyBytes, findCopy, makeCopy } from "../session/prepacked.ts";
import type { CopyState } from "../session/prepacked.ts";
import { placeOfCopy } from "./openGraph.ts";
import { graphsOf } from "./parts.ts";

/** One graph and its copy. */
export interface GraphCopy {
  /** Path of the graph inside the model folder. */
  graph: string;
  state: CopyState;
  /** What the copy takes on disk, about; 0 where there is none to be made. */
  bytes: number;
}

/** Of which levels copies are made, where, and how. */
export interface PrepackOptions {
  /** Which levels; the manifest's default unless given. */
  levels?: readonly string[];
  /** Folder for the copies; inside the model's own unless given. */
  prepacked?: string;
  /** Bytes written and to be written, about. */
  onProgress?: (progress: { graph: string; done: number; total: number }) => void;
  /** Lets everything else that the machine does go first. */
  inBackground?: boolean;
  signal?: AbortSignal;
}

/** Which copies of a model's graphs there are, each once. Makes none. */
export async function copiesOf(
  folder: string,
  { levels, prepacked }: Pick<PrepackOptions, "levels" | "prepacked"> = {},
): Promise<GraphCopy[]> {
  const manifest = await readManifest(folder);
  const wanted = levels ?? [manifest.defaultLevel];
  const graphs = new Set(wanted.flatMap((level) => Object.values(graphsOf(manifest, level))));
  return Promise.all(
    [...graphs].map(async (graph) => {
      const place = placeOfCopy(folder, manifest, graph, prepacked);
      const { state } = await findCopy(place);
      return { graph, state, bytes: state === "useless" ? 0 : copyBytes(place.bytes) };
    }),
  );
}

/**
 * Makes the copies that are missing for this machine's processor, one after the
 * other, so that loads from now on are quick. A model works without them.
 * @throws TinyGptvError "io" or "memory" where there is too little room, "model", "aborted"
 */
export async function prepack(folder: string, options: PrepackOptions = {}): Promise<GraphCopy[]> {
  const { prepacked, onProgress, inBackground, signal } = options;
  const manifest = await readManifest(folder);
  const copies = await copiesOf(folder, options);
  const missing = copies.filter(({ state }) => state === "missing");
  const total = missing.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  for (const copy of missing) {
    const { graph } = copy;
    const onBytes = (bytes: number) =>
      onProgress?.({ graph, done: done + Math.min(bytes, copy.bytes), total });
    onBytes(0);
    copy.state = await makeCopy(
      join(folder, graph),
      placeOfCopy(folder, manifest, graph, prepacked),
      { onBytes, inBackground, signal },
    );
    if (copy.state === "useless") copy.bytes = 0;
    done += copy.bytes;
  }
  return copies;
}
