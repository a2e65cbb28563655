/** Models on a device, on software Vulkan: what it computes is what the processor does, and nothing of a step goes back and forth. */
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { quantizeModel } from "../../lib/convert/src/quantizeModel.ts";
import { openSession } from "../../lib/runtime/src/session/runtime.ts";
import { convertFixture, fixture, temporaryFolder } from "../support/converted.ts";
import { addRandomAdapter } from "../support/randomAdapter.ts";
import { runNode, softwareVulkan } from "./softwareVulkan.ts";

const program = (name: string) => join(import.meta.dirname, name);
const cli = join(import.meta.dirname, "../../apps/cli/src/main.ts");

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let model: string;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  folder = await temporaryFolder();
  env = softwareVulkan(folder.path);
  const given = { checkpoint: fixture("micro-stage4-qformer", "TinyGPT-V_for_Stage4.pth") };
  model = await convertFixture("micro-stage4", join(folder.path, "micro"), given);
  await quantizeModel(model, ["int4"], { openSession });
});
afterAll(() => folder.remove());

describe("a model on a device", { timeout: 600_000 }, () => {
  it("computes what the reference does, after a self-test that is not asked for twice", async () => {
    const golden = fixture("micro-stage4-qformer", "golden.json");
    const args = [cli, "verify", model, "--golden", golden, "--provider", "webgpu", "--json"];
    const { stdout } = await runNode(args, env);
    expect(JSON.parse(stdout)).toMatchObject({ passed: 7, failed: 0 });

    const verdicts = join(folder.path, "tinygptv", "devices");
    const [name, ...others] = await readdir(verdicts);
    expect(others).toEqual([]);
    const verdict = JSON.parse(await readFile(join(verdicts, name!), "utf8")) as {
      forms: unknown[];
      findings: { what: string; passed: boolean }[];
    };
    // Kernels of the grouped operator read lanes that software does not have, and there is no half precision.
    expect(verdict.forms).toEqual([{ attention: "inPlace", precision: "float32" }]);
    const failed = verdict.findings.filter(({ passed }) => !passed).map(({ what }) => what);
    expect(failed).toEqual(["grouped float16", "inPlace float16", "grouped float32"]);
  });

  it("keeps what sequences hold through batches, forks, beams, prefixes and longer pools", async () => {
    const { stdout } = await runNode([program("steps.ts"), model], env);
    const distances = JSON.parse(stdout) as Record<string, number>;
    expect(Object.keys(distances)).toHaveLength(13);
    const far = Object.entries(distances).filter(([, distance]) => !(distance < 1e-4));
    expect(far).toEqual([]);
  });

  it("passes gradients back as the reference does: every operator, and a step of training", async () => {
    const stage3 = join(folder.path, "stage3");
    const checkpoint = fixture("micro-stage3", "TinyGPT-V_for_Stage3.pth");
    await convertFixture("micro-stage3", stage3, { checkpoint });
    const golden = fixture("micro-stage3", "golden.json");
    const { stdout } = await runNode([program("training.ts"), stage3, golden], env);
    const found = JSON.parse(stdout) as { distances: Record<string, number> };
    expect(found).toMatchObject({ passed: 51, failed: 0, skipped: [] });
    const far = Object.entries(found.distances).filter(([, distance]) => !(distance < 3e-4));
    expect(far).toEqual([]);
  });

  it("is refused with an adapter beside it, and answers without", async () => {
    await addRandomAdapter(model, "tuned", { seed: 1 });
    const ask = (which: string) =>
      runNode([cli, "ask", which, "--prompt", "x", "--provider", "webgpu"], env);
    await expect(ask(`${model}+tuned`)).rejects.toThrow(
      "model: want one without an adapter, as micro:fp32 runs on webgpu",
    );
    expect((await ask(model)).stdout).not.toBe("");
  });

  it.each(["fp32", "int4"])("has every node on the device but shapes, in %s", async (level) => {
    const { stderr } = await runNode([program("placement.ts"), model, level], env);
    const onProcessor = stderr
      .split(/^graph /m)
      .slice(1)
      .map((text) => {
        expect(text).toContain("[WebGpuExecutionProvider]");
        expect(text).not.toMatch(/Memcpy(To|From)Host/);
        const [, nodes = ""] = text.split("placed on [CPUExecutionProvider]");
        const kinds = nodes.split("placed on [")[0]!.matchAll(/\] {3}(\w+) \(/g);
        return [text.slice(0, text.indexOf("\n")), Array.from(kinds, ([, kind]) => kind)];
      });
    expect(Object.fromEntries(onProcessor)).toEqual({
      vision: ["Concat", "Gather"],
      qformer: ["Concat"],
      mapping: [],
      phi: ["Concat", "Concat", "Concat", "Concat"],
    });
  });
});

it("says what is missing where there is no device", async () => {
  const golden = fixture("micro-stage4-qformer", "golden.json");
  const args = [cli, "verify", model, "--golden", golden, "--provider", "webgpu"];
  const none = { ...env, VK_ICD_FILENAMES: "/nowhere", VK_DRIVER_FILES: "/nowhere" };
  const failure = await runNode(args, none).catch((error: { stderr: string }) => error);
  expect(failure.stderr).toContain("webgpu: want a GPU with a driver for Vulkan");
});
