import { bindingFolder, libraryFinder, testWebgpu, whyNoGpu } from "tinygptv/parts";
import { checkCuda } from "./cuda.ts";
import { about } from "./finding.ts";
import type { Finding } from "./finding.ts";
import { checkVulkan } from "./vulkan.ts";
import { checkWebgpu } from "./webgpu.ts";

/** What it takes for a GPU, none of which is needed, and whether a GPU computes what the processor does. */
export async function checkGraphics(): Promise<Finding[]> {
  return [...(await checkParts()), ...(await checkWebgpu(await whyNoGpu(), testWebgpu))];
}

async function checkParts(): Promise<Finding[]> {
  const folder = bindingFolder();
  if (process.platform !== "linux" || folder === undefined)
    return [about("vulkan").optional("looked for on Linux only, beside ONNX Runtime")];
  return [
    ...(await checkVulkan({ findLibrary: libraryFinder([folder]) })),
    ...(await checkCuda(folder)),
  ];
}
