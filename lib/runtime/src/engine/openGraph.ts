import { join } from "node:path";
import type { Manifest } from "@tinygptv/model";
import { discardCopy, prepackedCopy } from "../session/prepacked.ts";
import { openSession } from "../session/runtime.ts";
import type { Session } from "@tinygptv/graph";

export interface GraphOptions {
  /** Threads within an operator; as the model's size suggests unless given. */
  threads?: number | undefined;
  /** Opens a graph; tests give their own. */
  openSession?: typeof openSession | undefined;
  /**
   * Folder for pre-packed copies of large graphs (see session/prepacked.ts);
   * inside the model's own unless given, nowhere if false.
   */
  prepacked?: string | false | undefined;
}

/**
 * Opens a graph of a model folder, by way of its pre-packed copy where that is worth it.
 * @param graph path inside the folder
 */
export async function openGraph(
  folder: string,
  { files }: Manifest,
  graph: string,
  {
    threads,
    prepacked = join(folder, ".prepacked"),
    openSession: open = openSession,
  }: GraphOptions,
): Promise<Session> {
  const path = join(folder, graph);
  const options = threads === undefined ? {} : { threads };
  if (prepacked === false) return open(path, options);
  const own = files.filter((file) => file.path === graph || file.path === `${graph}.data`);
  const copy = await prepackedCopy(path, {
    folder: prepacked,
    name: graph.replace(/\.onnx$/, "").replaceAll("/", "-"),
    fingerprint: own.map(({ sha256 }) => sha256).join(),
    bytes: own.reduce((total, { bytes }) => total + bytes, 0),
  });
  try {
    return await open(copy, options);
  } catch (error) {
    if (copy === path) throw error;
    await discardCopy(copy);
    return open(path, options);
  }
}
