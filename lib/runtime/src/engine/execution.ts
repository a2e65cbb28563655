/** What runs a model: the processor, or the GPU through WebGPU or CUDA. Chosen when models are loaded, once a process. */
import { TinyGptvError } from "@tinygptv/protocol";
import type { PrecisionChoice, Provider } from "@tinygptv/protocol";
import type { Device } from "../session/device.ts";
import type { DeviceForm } from "../session/devicePass.ts";
import { openSession, webgpuDevice } from "../session/runtime.ts";
import { selfTest, type Verdict } from "../session/selfTest.ts";
import { keptVerdict } from "./verdicts.ts";
import { whyNoGpu } from "./vulkan.ts";

/** What was chosen. */
export type Execution =
  | { readonly provider: "cpu"; readonly reason: string }
  | { readonly provider: "cuda"; readonly reason: string }
  | {
      readonly provider: "webgpu";
      readonly reason: string;
      readonly device: Device;
      readonly form: DeviceForm;
      readonly verdict: Verdict;
    };

/** Times as fast as the processor; below it a device is not worth its memory: software that passes for one, or a processor's neighbour. */
export const worthwhile = 1.5;

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
  const nowhere = provider === "auto" ? await whyNoGpu() : undefined;
  if (nowhere !== undefined) return { provider: "cpu", reason: nowhere };
  try {
    const verdict = await testWebgpu();
    const form = formFor(verdict, precision);
    if (provider === "auto" && verdict.speed < worthwhile)
      return { provider: "cpu", reason: `the GPU is ${verdict.speed.toFixed(1)} times as fast` };
    return {
      provider: "webgpu",
      reason: "passed its self-test",
      device: theDevice(),
      form,
      verdict,
    };
  } catch (error) {
    if (provider === "webgpu") throw error;
    const reason = error instanceof Error ? error.message.split("\n")[0]! : String(error);
    return { provider: "cpu", reason };
  }
}

/** In a sentence, for people. */
export function describeExecution(execution: Execution): string {
  const { reason } = execution;
  if (execution.provider !== "webgpu") return reason;
  const { attention, precision } = execution.form;
  return `${attention === "grouped" ? "grouped" : "explicit"} attention in ${precision}; ${reason}`;
}

/** One a process, whoever asks. */
const theDevice = (() => {
  let device: Device | undefined;
  return () => (device ??= webgpuDevice());
})();

let testing: Promise<Verdict> | undefined;

/** The self-test's verdict on this machine's GPU, from an earlier time where device and driver are the same. */
export function testWebgpu(): Promise<Verdict> {
  return (testing ??= keptVerdict(() =>
    selfTest(webgpuDevice, (graph) => openSession({ graph })),
  ).then((verdict) => {
    // What failed may be mended by the next time.
    if (verdict.forms.length === 0) testing = undefined;
    return verdict;
  }));
}

const onlyOnGpu = (provider: Provider) =>
  new TinyGptvError(
    "parameter",
    `precision: want float32 or auto where the language model runs on the processor (provider ${provider}), got float16`,
    { subject: "precision" },
  );

function formFor({ forms, findings }: Verdict, precision: PrecisionChoice): DeviceForm {
  const form = forms.find((one) => precision === "auto" || one.precision === precision);
  if (form) return form;
  const failed = findings.filter(({ passed }) => !passed);
  if (forms.length > 0)
    throw new TinyGptvError(
      "model",
      `webgpu: precision: want one that the device computes right, ${forms[0]!.precision}, got ${precision}`,
      { subject: "precision" },
    );
  const [first] = failed;
  // Without a device the first thing that is tried says so.
  const isAbsent = findings.length === 1 && /adapter|device/i.test(String(first?.got));
  const message = isAbsent ? absent(String(first?.got)) : wrong(failed);
  throw new TinyGptvError("model", message, { subject: "webgpu" });
}

const absent = (got: string) =>
  `webgpu: want a GPU with a driver for Vulkan (Linux), Metal (macOS) or Direct3D 12 (Windows), got none: ${got.trim()}; on Linux it takes libvulkan.so.1 (package libvulkan1) and the GPU's own driver, in a container NVIDIA_DRIVER_CAPABILITIES with graphics; \`tinygptv doctor\` says what is there`;

const wrong = (failed: Verdict["findings"]) =>
  `webgpu: want a device that computes what the processor does, got one that differs in ${failed.map(({ what, got }) => `${what} (${got})`).join(", ")}`;
