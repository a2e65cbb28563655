/** ONNX Runtime in Node; the only place that knows its binding. */
import { existsSync } from "node:fs";
import { basename } from "node:path";
import * as ort from "onnxruntime-node";
import { encodeOverData } from "@tinygptv/graph";
import type { Graph } from "@tinygptv/graph";
import type { Session } from "@tinygptv/graph/session";
import { elementCount } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";
import { Device } from "./device.ts";
import { cutsOff, ortSession } from "./ortSession.ts";
import { saturationProbe } from "./saturationProbe.ts";

export interface SessionOptions {
  /** Threads within an operator; all cores unless given. */
  threads?: number | undefined;
  /** Whether what CUDA has kernels for runs there. */
  onCuda?: boolean | undefined;
}

/** An ONNX file, or a graph in memory and the folder of the data files that it refers to. */
export type GraphSource = string | { readonly graph: Graph; readonly folder?: string };

/** Opens a graph on the processor. Errors have code "model". */
export async function openSession(
  source: GraphSource,
  { threads, onCuda = false }: SessionOptions = {},
): Promise<Session> {
  const options = {
    ...(threads !== undefined && { intraOpNumThreads: threads }),
    ...(onCuda && withCuda),
  };
  if (typeof source !== "string") {
    const entries = source.folder === undefined ? {} : inFolder(source.folder);
    const bytes = await encodeOverData(source.graph);
    return ortSession(await create(bytes, options, entries), ort.Tensor);
  }
  if (!existsSync(source))
    throw new TinyGptvError("model", `${source}: want an ONNX file, got no such file`);
  return ortSession(await create(source, options), ort.Tensor);
}

/** What CUDA has no kernel for stays on the processor. */
const withCuda = { executionProviders: ["cuda", "cpu"] };

/** Where the data files are of a graph that is in no file itself. */
const inFolder = (folder: string) => ({ model_external_initializers_file_folder_path: folder });

/**
 * The GPU of this machine, through Vulkan, Metal or Direct3D 12. One a process.
 * What data files a graph refers to is said as the folder they are in.
 */
export function webgpuDevice(): Device {
  return new Device({
    Tensor: ort.Tensor,
    create: (graph, { weights, keepsOutputs }) =>
      ort.InferenceSession.create(graph, {
        executionProviders: ["webgpu"],
        graphOptimizationLevel: "all",
        logSeverityLevel: 4, // what goes wrong is thrown
        ...(keepsOutputs && { preferredOutputLocation: "gpu-buffer" }),
        ...(typeof weights === "string" && { extra: { session: inFolder(weights) } }),
      }),
  });
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

/** Whether this processor cuts off large sums of signed 8-bit weights; found once. */
export function cutsOffSums(): Promise<boolean> {
  return (cutsOffHere ??= probe());
}
let cutsOffHere: Promise<boolean> | undefined;

async function probe(): Promise<boolean> {
  const session = await ort.InferenceSession.create(saturationProbe.graph, { logSeverityLevel: 3 });
  return cutsOff(session, ort.Tensor);
}

/** Lets ONNX Runtime turn signed weights into unsigned ones: exact everywhere, but half as fast where signed ones are exact too. */
const unsignedWeights = { x64quantprecision: "1" };

/** @param entries of ONNX Runtime's `session` settings, as text */
async function create(
  graph: string | Uint8Array,
  options: ort.InferenceSession.SessionOptions,
  entries: Readonly<Record<string, string>> = {},
): Promise<ort.InferenceSession> {
  const settings: ort.InferenceSession.SessionOptions = {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "all",
    // Warnings about unused initializers and the like are not for users.
    logSeverityLevel: 3,
    ...options,
    extra: { session: { ...entries, ...((await cutsOffSums()) && unsignedWeights) } },
  };
  // Apart: the binding tells paths from bytes by overloads.
  const creating =
    typeof graph === "string"
      ? ort.InferenceSession.create(graph, settings)
      : ort.InferenceSession.create(graph, settings);
  return creating.catch((cause: Error) => {
    const name = typeof graph === "string" ? graph : "a graph in memory";
    throw new TinyGptvError("model", `${name}: ONNX Runtime cannot load it: ${cause.message}`, {
      cause,
    });
  });
}
