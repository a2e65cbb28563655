/** The GPU of a page: whether there is one, and what its self-test finds. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { TinyGptvError, version } from "@tinygptv/protocol";
import type { Gpu } from "../engine/gpuChoice.ts";
import { keptVerdict } from "../engine/verdicts.ts";
import type { VerdictShelf } from "../engine/verdicts.ts";
import type { Verdict } from "../session/selfTest.ts";
import { once } from "./once.ts";
import type { FileStore } from "./store.ts";

/**
 * @param program where `ort-wasm-simd-threaded.jspi.wasm` is
 * @param store where verdicts are kept
 */
export function pageGpu(program: string | undefined, store: FileStore): Gpu {
  const webgpu = once(async () => (await import("./webgpu.ts")).openWebgpu(program));
  const device = once(async () => (await webgpu()).openDevice());
  const test = once(async (): Promise<Verdict> => {
    const adapter = await findAdapter();
    if (typeof adapter === "string")
      throw new TinyGptvError(
        "model",
        `webgpu: want a browser that gives pages the GPU (WebGPU and JavaScript Promise Integration), got ${adapter}`,
        { subject: "webgpu" },
      );
    return keptVerdict(shelfFor(adapter, store), async () => (await webgpu()).test());
  });
  return {
    async whyNone() {
      const adapter = await findAdapter();
      if (typeof adapter === "string") return adapter;
      return adapter.info.isFallbackAdapter ? "software that passes for a GPU" : undefined;
    },
    test,
    device,
    absent: (got) => `webgpu: want a GPU that this browser gives to pages, got none: ${got}`,
  };
}

/** What ONNX Runtime will take; or what there is instead. */
async function findAdapter(): Promise<GPUAdapter | string> {
  if (!("gpu" in navigator)) return "a browser without WebGPU";
  if (!("Suspending" in WebAssembly)) return "a browser without JavaScript Promise Integration";
  return (await navigator.gpu.requestAdapter()) ?? "no GPU that this browser gives to pages";
}

/** Found by all that a page can see of the device, the browser and the program. */
function shelfFor({ info, features }: GPUAdapter, store: FileStore): VerdictShelf {
  const { vendor, architecture, device, description } = info;
  const facts = [version, navigator.userAgent, vendor, architecture, device, description];
  const text = [...facts, ...[...features].toSorted()].join("\n");
  const name = `webgpu-${bytesToHex(sha256(new TextEncoder().encode(text)))}.json`;
  return {
    read: async () => (await store.readText(name)) ?? "",
    keep: (verdict) => store.keepText(name, verdict),
  };
}
