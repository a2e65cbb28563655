/**
 * Whether a device computes what a processor does, and by which forms of the
 * graphs: a picture and some steps of a small model with made-up weights. Drivers,
 * compilers of shaders and kernels differ, and a wrong one answers without a word.
 */
import type { Graph } from "@tinygptv/graph";
import type { Session } from "@tinygptv/graph/session";
import type { Component } from "@tinygptv/model";
import { buildGraphs } from "@tinygptv/network";
import type { Device } from "./device.ts";
import { deviceGraph } from "./deviceGraphs.ts";
import type { DeviceForm } from "./devicePass.ts";
import { config, madeUpWeights, stepsOnDevice, stepsOnProcessor } from "./selfTestModel.ts";
import type { OpenOnProcessor } from "./selfTestModel.ts";
import { distance, productDistance, speedOf } from "./selfTestProducts.ts";
import { encodeImage } from "./vision.ts";

/** What a test has found of one way to compute. */
export interface Finding {
  /** `picture`, `products of 4 bits`, `inPlace float32`. */
  readonly what: string;
  readonly passed: boolean;
  /** Distance from the processor's result, relative to its length; or what went wrong. */
  readonly got: number | string;
}

export interface Verdict {
  /** Forms that passed, the best first; none where the device computes wrong. */
  readonly forms: readonly DeviceForm[];
  readonly findings: readonly Finding[];
  /** How many times faster than the processor a product of large matrices is. */
  readonly speed: number;
}

/** Distances that different orders of addition come to, and no mistake; in half precision others. */
const allowed = { float32: 1e-4, float16: 2e-2 };

/** In their order of merit: fewer steps of the device, then less memory. */
const forms: readonly DeviceForm[] = [
  { attention: "grouped", precision: "float16" },
  { attention: "inPlace", precision: "float16" },
  { attention: "grouped", precision: "float32" },
  { attention: "inPlace", precision: "float32" },
];

/** @param makeDevice the same device each time, as if nothing had happened on it */
export async function selfTest(
  makeDevice: () => Device,
  onProcessor: OpenOnProcessor,
): Promise<Verdict> {
  const stored = buildGraphs(madeUpWeights(), config);
  const findings: Finding[] = [];
  const find = async (what: string, most: number, measure: () => Promise<number>) => {
    const got = await measure().catch((error: Error) => error.message);
    const passed = typeof got === "number" && got < most;
    findings.push({ what, passed, got });
    return passed;
  };

  const device = makeDevice();
  const isSound =
    (await find("picture", allowed.float32, () => pictureDistance(device, stored, onProcessor))) &&
    (await find("products of 4 bits", allowed.float32, () =>
      productDistance(device, 4, onProcessor),
    )) &&
    (await find("products of 8 bits", allowed.float32, () =>
      productDistance(device, 8, onProcessor),
    ));
  if (!isSound) return { forms: [], findings, speed: 0 };

  const passed: DeviceForm[] = [];
  const wanted = await stepsOnProcessor(stored, onProcessor);
  for (const form of forms) {
    const { attention, precision } = form;
    const isRight = await find(`${attention} ${precision}`, allowed[precision], async () => {
      const got = await stepsOnDevice(stored, makeDevice(), form);
      return Math.max(...got.map((logits, i) => distance(logits, wanted[i]!)));
    });
    if (isRight) passed.push(form);
  }
  return { forms: passed, findings, speed: await speedOf(device, onProcessor) };
}

async function pictureDistance(
  device: Device,
  stored: Record<Component, Graph>,
  onProcessor: OpenOnProcessor,
): Promise<number> {
  const { imageSize } = config.vision;
  const pixels = new Float32Array(3 * imageSize ** 2).map((_, i) => Math.sin(i / 7));
  const encode = async (open: (component: Component) => Promise<Session>) => {
    const sessions = {
      vision: await open("vision"),
      qformer: await open("qformer"),
      mapping: await open("mapping"),
    };
    const features = await encodeImage(sessions, pixels, config);
    for (const { release } of Object.values(sessions)) await release();
    return features;
  };
  const form = forms.at(-1)!;
  const want = await encode((component) => onProcessor(stored[component]));
  const got = await encode((component) =>
    device.open(deviceGraph(component, stored[component], config, form)),
  );
  return distance(got, want);
}
