/** A graph that can be run: what the runtime opens, and what a converter is given to look into layers with. */

/** A dense tensor that goes into or comes out of a session. */
export type SessionTensor =
  | { dtype: "float32"; shape: readonly number[]; data: Float32Array }
  | { dtype: "int64"; shape: readonly number[]; data: BigInt64Array };

export interface Session {
  /**
   * Runs the graph on named inputs and returns the named outputs (float32).
   * ONNX Runtime blocks the calling thread meanwhile and cannot be interrupted.
   */
  run(
    feeds: Readonly<Record<string, SessionTensor>>,
    outputs: readonly string[],
  ): Promise<Record<string, Float32Array>>;
  release(): Promise<void>;
}

/** Opens an ONNX file for running. Errors have code "model". */
export type OpenSession = (path: string) => Promise<Session>;
