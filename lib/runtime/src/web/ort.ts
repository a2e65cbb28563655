/** ONNX Runtime's builds for pages: loaded when they are wanted, with one thread, in the worker that loads them. */
import type * as Ort from "onnxruntime-web/wasm";
import { TinyGptvError } from "@tinygptv/protocol";
import type { OrtSession } from "../session/ortSession.ts";

/** A build, loaded. */
export interface OrtBuild {
  readonly Tensor: typeof Ort.Tensor;
  readonly env: typeof Ort.env;
  /** Opens a session. All sessions share one memory: this, and what they do, waits for its turn. */
  create(graph: Uint8Array, options: Ort.InferenceSession.SessionOptions): Promise<OrtSession>;
}

/**
 * @param load its script
 * @param program where its `.wasm` is; beside its script unless given, and not kept then
 * @throws TinyGptvError "network" where the program does not come
 */
export async function loadBuild(
  load: () => Promise<typeof Ort>,
  program: string | undefined,
): Promise<OrtBuild> {
  const { InferenceSession, Tensor, env } = await load();
  // Threads would want headers that few static hosts send, and are slower on small models.
  env.wasm.numThreads = 1;
  if (program !== undefined) env.wasm.wasmBinary = await keptProgram(program, env.versions.web!);
  const inTurn = oneAtATime();
  return {
    Tensor,
    env,
    async create(graph, options) {
      const session = await inTurn(() =>
        InferenceSession.create(graph, { logSeverityLevel: 3, ...options }),
      );
      return {
        inputMetadata: session.inputMetadata,
        outputMetadata: session.outputMetadata,
        run: (feeds, fetches) => inTurn(() => session.run(feeds, fetches)),
        release: () => inTurn(() => session.release()),
      };
    },
  };
}

/** ONNX Runtime itself, kept beside the models: a later visit needs no server for it either. */
async function keptProgram(address: string, version: string): Promise<ArrayBuffer> {
  const cache = await caches.open("tinygptv");
  const key = new URL(address, location.href);
  key.searchParams.set("onnxruntime", version);
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
