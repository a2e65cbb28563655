/** What runs a model: the processor, or the GPU through WebGPU or CUDA. Chosen when models are loaded, once a process. */
import { TinyGptvError } from "@tinygptv/protocol";
import type { PrecisionChoice, Provider } from "@tinygptv/protocol";
import type { Device } from "../session/device.ts";
import { openSession, webgpuDevice } from "../session/runtime.ts";
import { selfTest, type Verdict } from "../session/selfTest.ts";
import { chooseGpu, describeOnGpu, type Gpu, type OnGpu, type OnProcessor } from "./gpuChoice.ts";
import { verdictShelf } from "./verdictShelf.ts";
import { keptVerdict } from "./verdicts.ts";
import { whyNoGpu } from "./vulkan.ts";

/** What was chosen. */
export type Execution =
  | OnProcessor
  | { readonly provider: "cuda"; readonly reason: string }
  | OnGpu;

/**
 * @throws TinyGptvError "parameter" for a precision that the provider does not have; "model" where what was asked for by name is not there or computes wrong,
 *   saying what is missing and how to get it
 */
export async function chooseExecution(
  provider: Provider,
  precision: PrecisionChoice = "auto",
): Promise<Execution> {
  if (provider === "cpu" || provider === "cuda") {
    if (precision === "float16") throw onlyOnGpu(provider);
    const reason = provider === "cpu" ? "asked for" : "asked for: the picture side only";
    return { provider, reason };
  }
  return chooseGpu(ours, { isAsked: provider === "webgpu", precision });
}

/** In a sentence, for people. */
export function describeExecution(execution: Execution): string {
  return execution.provider === "webgpu" ? describeOnGpu(execution) : execution.reason;
}

/** One a process, whoever asks. */
let device: Device | undefined;

let testing: Promise<Verdict> | undefined;

/** The self-test's verdict on this machine's GPU, from an earlier time where device and driver are the same. */
export function testWebgpu(): Promise<Verdict> {
  return (testing ??= test().then((verdict) => {
    // What failed may be mended by the next time.
    if (verdict.forms.length === 0) testing = undefined;
    return verdict;
  }));
}

async function test(): Promise<Verdict> {
  return keptVerdict(await verdictShelf(), () =>
    selfTest(webgpuDevice, (graph) => openSession({ graph })),
  );
}

/** The GPU of this machine. */
const ours: Gpu = {
  whyNone: whyNoGpu,
  test: testWebgpu,
  device: async () => (device ??= webgpuDevice()),
  absent: (got) =>
    `webgpu: want a GPU with a driver for Vulkan (Linux), Metal (macOS) or Direct3D 12 (Windows), got none: ${got}; on Linux it takes libvulkan.so.1 (package libvulkan1) and the GPU's own driver, in a container NVIDIA_DRIVER_CAPABILITIES with graphics; \`tinygptv doctor\` says what is there`,
};

const onlyOnGpu = (provider: Provider) =>
  new TinyGptvError(
    "parameter",
    `precision: want float32 or auto where the language model runs on the processor (provider ${provider}), got float16`,
    { subject: "precision" },
  );
