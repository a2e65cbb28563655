/** The only place that knows ONNX Runtime. */
import { existsSync } from "node:fs";
import * as ort from "onnxruntime-node";
import type { ModelConfig } from "../config.ts";
import { TinyGptvError } from "../errors.ts";
import { elementCount } from "../tensor/dtype.ts";

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

export interface SessionOptions {
  /** Threads within an operator; all cores unless given. */
  threads?: number | undefined;
}

/**
 * Threads for a model: operators of a small one are over before a second thread
 * has woken up, and waiting threads spin on cores that others need.
 * @returns undefined for all cores
 */
export function threadsFor({ phi }: ModelConfig): number | undefined {
  return phi.width < 1024 ? 1 : undefined;
}

/** Opens an ONNX file. Errors have code "model". */
export async function openSession(
  path: string,
  { threads }: SessionOptions = {},
): Promise<Session> {
  if (!existsSync(path))
    throw new TinyGptvError("model", `${path}: want an ONNX file, got no such file`);
  const session = await ort.InferenceSession.create(path, {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "all",
    // Warnings about unused initializers and the like are not for users.
    logSeverityLevel: 3,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
  }).catch((cause: Error) => {
    throw new TinyGptvError("model", `${path}: ONNX Runtime cannot load it: ${cause.message}`, {
      cause,
    });
  });
  return {
    async run(feeds, outputs) {
      const inputs = Object.fromEntries(
        Object.entries(feeds).map(([name, tensor]) => [name, toOrtTensor(name, tensor)]),
      );
      const results = await session.run(inputs, outputs);
      return Object.fromEntries(outputs.map((name) => [name, results[name]!.data as Float32Array]));
    },
    release: () => session.release(),
  };
}

/** Tensors of inputs that are given again: cached keys and values stay the same for many steps. */
const ortTensors = new WeakMap<SessionTensor, ort.Tensor>();

function toOrtTensor(name: string, tensor: SessionTensor): ort.Tensor {
  const known = ortTensors.get(tensor);
  if (known) return known;
  const { dtype, shape, data } = tensor;
  if (data.length !== elementCount(shape))
    throw new TinyGptvError(
      "model",
      `${name}: want ${elementCount(shape)} elements for [${shape}], got ${data.length}`,
    );
  const made =
    dtype === "float32"
      ? new ort.Tensor("float32", data, shape)
      : new ort.Tensor("int64", data, shape);
  ortTensors.set(tensor, made);
  return made;
}
