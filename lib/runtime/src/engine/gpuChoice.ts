/** Whether a model runs on the GPU of the place it is in, and how: by what its self-test found. */
import { TinyGptvError } from "@tinygptv/protocol";
import type { PrecisionChoice } from "@tinygptv/protocol";
import type { Device } from "../session/device.ts";
import type { DeviceForm } from "../session/devicePass.ts";
import type { Verdict } from "../session/selfTest.ts";

/** The GPU of a place: of this machine (execution.ts), or of a page (web/gpu.ts). */
export interface Gpu {
  /** Why `auto` need not try it, found out in no time; undefined where there may be one. */
  whyNone(): Promise<string | undefined>;
  /** @throws TinyGptvError "model" where what it takes is not there */
  test(): Promise<Verdict>;
  /** One, whoever asks. */
  device(): Promise<Device>;
  /** What is missing where ONNX Runtime finds none, in a sentence. @param got what it said */
  absent(got: string): string;
}

/** On the processor: because it was asked for, or for want of a GPU. */
export interface OnProcessor {
  readonly provider: "cpu";
  readonly reason: string;
}

export interface OnGpu {
  readonly provider: "webgpu";
  readonly reason: string;
  readonly device: Device;
  readonly form: DeviceForm;
  readonly verdict: Verdict;
}

/** Times as fast as the processor; below it a device is not worth its memory: software that passes for one, or a processor's neighbour. */
export const worthwhile = 1.5;

/**
 * @param isAsked whether it was asked for by name, and nothing else will do
 * @throws TinyGptvError "model" where it is asked for and not there or computes wrong
 */
export async function chooseGpu(
  gpu: Gpu,
  { isAsked, precision }: { isAsked: boolean; precision: PrecisionChoice },
): Promise<OnProcessor | OnGpu> {
  const nowhere = isAsked ? undefined : await gpu.whyNone();
  if (nowhere !== undefined) return { provider: "cpu", reason: nowhere };
  try {
    const verdict = await gpu.test();
    const form = formFor(verdict, precision, gpu);
    if (!isAsked && verdict.speed < worthwhile)
      return { provider: "cpu", reason: `the GPU is ${verdict.speed.toFixed(1)} times as fast` };
    const reason = "passed its self-test";
    return { provider: "webgpu", reason, device: await gpu.device(), form, verdict };
  } catch (error) {
    if (isAsked) throw error;
    const reason = error instanceof Error ? error.message.split("\n")[0]! : String(error);
    return { provider: "cpu", reason };
  }
}

/** Who asks for full precision in the weights has it in what is computed, too. */
export const precisionFor = (level: string, asked: PrecisionChoice = "auto"): PrecisionChoice =>
  asked === "auto" && level === "fp32" ? "float32" : asked;

/** How a GPU runs a model, in a sentence for people. */
export function describeOnGpu({ form: { attention, precision }, reason }: OnGpu): string {
  return `${attention === "grouped" ? "grouped" : "explicit"} attention in ${precision}; ${reason}`;
}

function formFor({ forms, findings }: Verdict, precision: PrecisionChoice, gpu: Gpu): DeviceForm {
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
  const message = isAbsent ? gpu.absent(String(first?.got).trim()) : wrong(failed);
  throw new TinyGptvError("model", message, { subject: "webgpu" });
}

const wrong = (failed: Verdict["findings"]) =>
  `webgpu: want a device that computes what the processor does, got one that differs in ${failed.map(({ what, got }) => `${what} (${got})`).join(", ")}`;
