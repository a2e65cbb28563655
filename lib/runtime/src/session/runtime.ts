/** The only place that knows ONNX Runtime. */
import { existsSync } from "node:fs";
import { basename } from "node:path";
import * as ort from "onnxruntime-node";
import type { Session, SessionPort, SessionTensor } from "@tinygptv/graph";
import { elementCount } from "@tinygptv/model";
import type { ModelConfig } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";
import { saturationProbe } from "./saturationProbe.ts";

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
  const session = await create(path, threads === undefined ? {} : { intraOpNumThreads: threads });
  return {
    inputs: portsOf(session.inputMetadata),
    outputs: portsOf(session.outputMetadata),
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

function portsOf(metadata: readonly ort.InferenceSession.ValueMetadata[]): SessionPort[] {
  return metadata.flatMap((value) =>
    value.isTensor ? [{ name: value.name, shape: value.shape }] : [],
  );
}

/** What a graph as ONNX Runtime keeps it in memory depends on, beside the processor. */
export const runtimeVersion = ort.env.versions.node ?? ort.env.versions.common;

/**
 * Loads a graph and writes it down the way it lies in memory then: optimized,
 * and with weights in the order this processor's kernels read them. What is
 * written can be opened in its place and is mapped instead of copied.
 * Not every kernel brings its weights back as they were (8-bit ones in blocks of
 * 64 come back as nonsense in 1.30), so the copy is run beside the original.
 * @param out path of the `.onnx` file to write; its weights go to `${out}.data`
 * @returns whether the copy computes exactly the same
 */
export async function writePrepacked(path: string, out: string): Promise<boolean> {
  const session = await create(
    path,
    { optimizedModelFilePath: out },
    {
      optimized_model_external_initializers_file_name: `${basename(out)}.data`,
      optimized_model_external_initializers_min_size_in_bytes: "1024",
      save_external_prepacked_constant_initializers: "1",
    },
  );
  // One after the other: together they would take twice the memory.
  const wanted = await runOnce(session);
  const got = await runOnce(await create(out, {}));
  return wanted.every((values, i) => values.every((value, j) => Object.is(value, got[i]![j])));
}

/** Dimensions that are the same in every trial: what is tried is how many positions there are. */
const fixed: Readonly<Record<string, number>> = { batch: 1, padding: 0 };

/**
 * Outputs of a session on made-up inputs for a batch of one. Other open dimensions
 * are one and then several: kernels differ. Releases the session.
 */
async function runOnce(session: ort.InferenceSession): Promise<Float32Array[]> {
  const results: Float32Array[] = [];
  const shapes = session.inputMetadata.flatMap((input) => (input.isTensor ? input.shape : []));
  const isOpen = shapes.some((dim) => typeof dim !== "number" && !(dim in fixed));
  for (const size of isOpen ? [1, 5] : [1]) {
    const feeds: Record<string, ort.Tensor> = {};
    for (const input of session.inputMetadata)
      if (input.isTensor) feeds[input.name] = madeUp(input, size);
    const outputs = await session.run(feeds);
    results.push(...session.outputNames.map((name) => outputs[name]!.data as Float32Array));
  }
  await session.release();
  return results;
}

function madeUp({ type, shape }: ort.InferenceSession.TensorValueMetadata, size: number) {
  const dims = shape.map((dim) => (typeof dim === "number" ? dim : (fixed[dim] ?? size)));
  const count = elementCount(dims);
  return type === "int64"
    ? new ort.Tensor("int64", new BigInt64Array(count), dims)
    : new ort.Tensor(
        "float32",
        Float32Array.from({ length: count }, (_, i) => Math.sin(i)),
        dims,
      );
}

/**
 * Whether this processor cuts off large sums of signed 8-bit weights: those with
 * AVX2 and without VNNI add products in pairs of 16 bits. Found by multiplying, once.
 */
export function cutsOffSums(): Promise<boolean> {
  return (cutsOff ??= probe());
}
let cutsOff: Promise<boolean> | undefined;

async function probe(): Promise<boolean> {
  const session = await ort.InferenceSession.create(saturationProbe.graph, { logSeverityLevel: 3 });
  const { y } = await session.run({ x: new ort.Tensor("float32", [1, 1, 1, 1], [1, 4]) });
  await session.release();
  return Math.abs((y!.data[0] as number) - saturationProbe.exact) > 1;
}

/** Lets ONNX Runtime turn signed weights into unsigned ones: exact everywhere, but half as fast where signed ones are exact too. */
const unsignedWeights = { x64quantprecision: "1" };

/** @param entries of ONNX Runtime's `session` settings, as text */
async function create(
  path: string,
  options: ort.InferenceSession.SessionOptions,
  entries: Readonly<Record<string, string>> = {},
): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(path, {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "all",
    // Warnings about unused initializers and the like are not for users.
    logSeverityLevel: 3,
    ...options,
    extra: { session: { ...entries, ...((await cutsOffSums()) && unsignedWeights) } },
  }).catch((cause: Error) => {
    throw new TinyGptvError("model", `${path}: ONNX Runtime cannot load it: ${cause.message}`, {
      cause,
    });
  });
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
