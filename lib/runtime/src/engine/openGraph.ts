import { join } from "node:path";
import type { Manifest } from "@tinygptv/model";
import { discardCopy, findCopy } from "../session/prepacked.ts";
import type { CopyPlace } from "../session/prepacked.ts";
import type { Execution } from "./execution.ts";
import { openSession } from "../session/runtime.ts";
import type { Session } from "@tinygptv/graph/session";

/** How graphs are opened. */
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
  /** What runs the graphs; the processor unless given. */
  execution?: Execution | undefined;
}

/**
 * Opens a graph of a model folder, by way of its pre-packed copy where there is one.
 * @param graph path inside the folder
 */
export async function openGraph(
  folder: string,
  manifest: Manifest,
  graph: string,
  { threads, prepacked, openSession: open = openSession }: GraphOptions,
): Promise<Session> {
  const path = join(folder, graph);
  const options = threads === undefined ? {} : { threads };
  if (prepacked === false) return open(path, options);
  const { path: copy } = await findCopy(placeOfCopy(folder, manifest, graph, prepacked));
  if (copy === undefined) return open(path, options);
  try {
    return await open(copy, options);
  } catch {
    await discardCopy(copy);
    return open(path, options);
  }
}

/** Where the copy of a graph is, and of what. @param graph path inside the model folder */
export function placeOfCopy(
  folder: string,
  { files }: Manifest,
  graph: string,
  copies = join(folder, ".prepacked"),
): CopyPlace {
  const own = files.filter((file) => file.path === graph || file.path === `${graph}.data`);
  return {
    folder: copies,
    name: graph.replace(/\.onnx$/, "").replaceAll("/", "-"),
    fingerprint: own.map(({ sha256 }) => sha256).join(),
    bytes: own.reduce((total, { bytes }) => total + bytes, 0),
  };
}
