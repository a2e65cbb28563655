/** ONNX Runtime in a page: its WebAssembly build, one thread, in the worker that loads it. */
import * as ort from "onnxruntime-web/wasm";
import type { Session } from "@tinygptv/graph/session";
import { TinyGptvError } from "@tinygptv/protocol";
import { cutsOff, ortSession } from "../session/ortSession.ts";
import { saturationProbe } from "../session/saturationProbe.ts";

/** A graph's files in memory. */
export interface GraphBytes {
  /** What messages call it. */
  readonly name: string;
  readonly graph: Uint8Array;
  /** Its weights, by the name that the graph gives them; undefined where it has none outside. */
  readonly weights: { readonly path: string; readonly data: Uint8Array } | undefined;
}

export interface WasmSessions {
  /** @throws TinyGptvError "model" */
  open(files: GraphBytes): Promise<Session>;
  /** Whether large sums of signed 8-bit weights are cut off here. */
  cutsOffSums(): Promise<boolean>;
}

/** @param wasm where `ort-wasm-simd-threaded.wasm` is; beside ONNX Runtime's script unless given, and not kept then */
export async function createWasmSessions(wasm: string | undefined): Promise<WasmSessions> {
  // Threads would want headers that few static hosts send, and are slower on small models.
  ort.env.wasm.numThreads = 1;
  if (wasm !== undefined) ort.env.wasm.wasmBinary = await keptProgram(wasm);
  const options = { executionProviders: ["wasm"], logSeverityLevel: 3 } as const;
  // One memory for all sessions: their runs must not meet.
  const inTurn = oneAtATime();

  return {
    async open({ name, graph, weights }) {
      const externalData = weights ? [weights] : [];
      const session = await inTurn(() =>
        ort.InferenceSession.create(graph, { ...options, externalData }),
      ).catch((cause: Error) => {
        throw new TinyGptvError("model", `${name}: ONNX Runtime cannot load it: ${cause.message}`, {
          cause,
        });
      });
      const opened = ortSession(session, ort.Tensor);
      return {
        ...opened,
        run: (feeds, outputs) => inTurn(() => opened.run(feeds, outputs)),
        release: () => inTurn(opened.release),
      };
    },
    cutsOffSums: () =>
      inTurn(async () =>
        cutsOff(await ort.InferenceSession.create(saturationProbe.graph, options), ort.Tensor),
      ),
  };
}

/** ONNX Runtime itself, kept beside the models: a later visit needs no server for it either. */
async function keptProgram(address: string): Promise<ArrayBuffer> {
  const cache = await caches.open("tinygptv");
  const key = new URL(address, location.href);
  key.searchParams.set("onnxruntime", ort.env.versions.web!);
  let response = await cache.match(key);
  if (!response) {
    const refuse = (got: string, cause?: unknown) =>
      new TinyGptvError("network", `${address}: want ONNX Runtime, got ${got}`, { cause });
    response = await fetch(address).catch((cause: unknown) => {
      throw refuse("no answer", cause);
    });
    if (!response.ok) throw refuse(`status ${response.status}`);
    await cache.put(key, response.clone());
  }
  return response.arrayBuffer();
}

function oneAtATime() {
  let line: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const result = line.then(work);
    line = result.catch(() => {});
    return result;
  };
}
