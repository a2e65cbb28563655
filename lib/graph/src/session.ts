/**
 * A graph that can be run: what the runtime opens, and what a converter is given to look into layers with.
 * @module @tinygptv/graph/session
 */

import type { Port } from "./graph.ts";

/** A dense tensor that goes into or comes out of a session. */
export type SessionTensor =
  | { dtype: "float32"; shape: readonly number[]; data: Float32Array }
  | { dtype: "int64"; shape: readonly number[]; data: BigInt64Array }
  | { dtype: "int32"; shape: readonly number[]; data: Int32Array }
  | { dtype: "uint8"; shape: readonly number[]; data: Uint8Array }
  | { dtype: "int8"; shape: readonly number[]; data: Int8Array }
  /** As their 16 bits. */
  | { dtype: "float16"; shape: readonly number[]; data: Uint16Array };

/** A tensor in the memory of a device, which only what made it can look into. */
export interface DeviceTensor {
  readonly dtype: "float32" | "float16";
  readonly shape: readonly number[];
  /** What the runtime knows it by. */
  readonly device: object;
  /** Gives its memory back; without that it is never given back. */
  dispose(): void;
}

/** What a graph says of a tensor that goes in or out; a dimension that varies has a name. */
export type SessionPort = Pick<Port, "name" | "shape">;

/** A graph that can be run. */
export interface Session {
  readonly inputs: readonly SessionPort[];
  readonly outputs: readonly SessionPort[];
  /**
   * Runs the graph on named inputs and returns the named outputs (float32).
   * ONNX Runtime blocks the calling thread meanwhile and cannot be interrupted.
   * @param inPlace outputs that are written to memory of the device, over what
   *   is there: the same tensors as are given as inputs
   */
  run(
    feeds: Readonly<Record<string, SessionTensor | DeviceTensor>>,
    outputs: readonly string[],
    inPlace?: Readonly<Record<string, DeviceTensor>>,
  ): Promise<Record<string, Float32Array>>;
  /** Frees its memory; it cannot be run again. */
  release(): Promise<void>;
}

/** Opens an ONNX file for running. Errors have code "model". */
export type OpenSession = (path: string) => Promise<Session>;
