/** Graphs on a page's processor: ONNX Runtime's WebAssembly build. */
import type { Session } from "@tinygptv/graph/session";
import { TinyGptvError } from "@tinygptv/protocol";
import { cutsOff, ortSession } from "../session/ortSession.ts";
import { saturationProbe } from "../session/saturationProbe.ts";
import { loadBuild } from "./ort.ts";

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

/** @param program where `ort-wasm-simd-threaded.wasm` is */
export async function createWasmSessions(program: string | undefined): Promise<WasmSessions> {
  const { Tensor, create } = await loadBuild(() => import("onnxruntime-web/wasm"), program);
  const executionProviders = ["wasm"];
  return {
    async open({ name, graph, weights }) {
      const externalData = weights ? [weights] : [];
      const session = await create(graph, { executionProviders, externalData }).catch(
        (cause: Error) => {
          throw new TinyGptvError(
            "model",
            `${name}: ONNX Runtime cannot load it: ${cause.message}`,
            { cause },
          );
        },
      );
      return ortSession(session, Tensor);
    },
    cutsOffSums: async () =>
      cutsOff(await create(saturationProbe.graph, { executionProviders }), Tensor),
  };
}
