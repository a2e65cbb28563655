/** Whether models run on the GPU, as the runtime's own test finds. */
import { worthwhile } from "tinygptv/parts";
import type { testWebgpu } from "tinygptv/parts";
import { about } from "./finding.ts";
import type { Finding } from "./finding.ts";

/**
 * @param nowhere why no GPU can be reached, so that it is not tried
 * @param test the runtime's, or one like it
 */
export async function checkWebgpu(
  nowhere: string | undefined,
  test: typeof testWebgpu,
): Promise<Finding[]> {
  const say = about("webgpu");
  if (nowhere !== undefined)
    return [say.optional(`not tried: ${nowhere}; models run on the processor`)];
  const { forms, findings, speed } = await test();
  const [form] = forms;
  if (form !== undefined) {
    const attention = form.attention === "grouped" ? "grouped" : "explicit";
    return [
      say.ok(
        `computes what the processor does: ${attention} attention in ${form.precision}, ${speed.toFixed(1)} times as fast with large matrices${speed < worthwhile ? ", so `auto` stays with the processor" : ""}`,
      ),
    ];
  }
  const failed = findings
    .filter(({ passed }) => !passed)
    .map(({ what, got }) => `${what} (${typeof got === "number" ? got.toExponential(1) : got})`);
  return [
    say.optional(
      `not used: its self-test failed in ${failed.join(", ")}; models run on the processor until the GPU's driver is installed or brought up to date`,
    ),
  ];
}
