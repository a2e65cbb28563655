import { cpus } from "node:os";
import { about } from "./finding.ts";
import type { Finding } from "./finding.ts";

/** Whether ONNX Runtime loads, and how exact this processor is. */
export async function checkRuntime(): Promise<Finding[]> {
  const [runtime, processor] = [about("onnxruntime"), about("processor")];
  try {
    const { cutsOffSums, runtimeVersion } = await import("tinygptv/parts");
    const model = cpus()[0]?.model ?? process.arch;
    const weights = (await cutsOffSums())
      ? "cuts off sums of signed 8-bit weights, so they are taken unsigned: as exact, slower"
      : "sums of signed 8-bit weights are exact";
    return [
      runtime.ok(runtimeVersion),
      processor.ok(`${model}, ${cpus().length} threads; ${weights}`),
    ];
  } catch (error) {
    const { message } = error as Error;
    return [
      runtime.fix(
        `its native part does not load (${message}); install the packages on this machine`,
      ),
    ];
  }
}
