/**
 * Sessions on a page's GPU: ONNX Runtime's build that waits for the device by
 * JavaScript Promise Integration. Apart, since only pages with a GPU load it.
 */
import { encodeOverData } from "@tinygptv/graph";
import { Device } from "../session/device.ts";
import type { DeviceBinding } from "../session/device.ts";
import { ortSession } from "../session/ortSession.ts";
import { selfTest, type Verdict } from "../session/selfTest.ts";
import { loadBuild } from "./ort.ts";

/** Data files of a graph, read when their weights go onto the device, one after the other. */
export type DataFiles = readonly { readonly path: string; readonly data: Blob }[];

export interface Webgpu {
  /** Against the same build on the processor. */
  test(): Promise<Verdict>;
  /** The device, for good: once anything goes wrong on it, it is of no use any more. */
  openDevice(): Promise<Device>;
}

/** @param program where `ort-wasm-simd-threaded.jspi.wasm` is */
export async function openWebgpu(program: string | undefined): Promise<Webgpu> {
  const build = await loadBuild(() => import("onnxruntime-web/jspi"), program);
  const { Tensor, create, env } = build;
  const binding: DeviceBinding = {
    Tensor,
    create: (graph, { weights, keepsOutputs }) =>
      create(graph, {
        executionProviders: ["webgpu"],
        ...(keepsOutputs && { preferredOutputLocation: "gpu-buffer" }),
        externalData: (weights ?? []) as DataFiles,
      }),
  };
  return {
    test: () =>
      selfTest(
        () => new Device(binding),
        async (graph) => {
          const bytes = await encodeOverData(graph);
          return ortSession(await create(bytes, { executionProviders: ["wasm"] }), Tensor);
        },
      ),
    async openDevice() {
      const device = new Device(binding);
      // With the first session ONNX Runtime takes the device.
      (await device.allocate("float32", [1])).dispose();
      const gpu = await env.webgpu.device;
      void gpu.lost.then(({ message }) => device.fail(new Error(message || "it is lost")));
      // Memory that is full, above all: what was to be computed then is not.
      gpu.addEventListener("uncapturederror", ({ error }) => device.fail(error));
      return device;
    },
  };
}
