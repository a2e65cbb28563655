/**
 * A graph that can be run: what the runtime opens, and what a converter is given to look into layers with.
 * @module @tinygptv/graph/session
 */

import type { Port } from "./graph.ts";

/** A dense tensor that goes into or comes out of a session. */
export type SessionTensor =
  | { dtype: "float32"; shape: readonly number[]; data: Float32Array }
  | { dtype: "int64"; shape: readonly number[]; data: BigInt64Array };

/** What a graph says of a tensor that goes in or out; a dimension that varies has a name. */
export type SessionPort = Pick<Port, "name" | "shape">;

/** A graph that can be run. */
export interface Session {
  readonly inputs: readonly SessionPort[];
  readonly outputs: readonly SessionPort[];
  /**
   * Runs the graph on named inputs and returns the named outputs (float32).
   * ONNX Runtime blocks the calling thread meanwhile and cannot be interrupted.
   */
  run(
    feeds: Readonly<Record<string, SessionTensor>>,
    outputs: readonly string[],
  ): Promise<Record<string, Float32Array>>;
  /** Frees its memory; it cannot be run again. */
  release(): Promise<void>;
}

/** Opens an ONNX file for running. Errors have code "model". */
export type OpenSession = (path: string) => Promise<Session>;
