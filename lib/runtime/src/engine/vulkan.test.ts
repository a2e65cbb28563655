import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoGpu } from "./vulkan.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "vulkan-"));
  await mkdir(join(folder, "share/vulkan/icd.d"), { recursive: true });
  await writeFile(join(folder, "share/vulkan/icd.d/gpu.json"), "{}");
});
afterAll(() => rm(folder, { recursive: true }));

const findLibrary = async () => "/lib/libvulkan.so.1";

describe.runIf(process.platform === "linux")("a GPU cannot be there", () => {
  it("without a loader", async () => {
    const why = await whyNoGpu({ findLibrary: async () => undefined });
    expect(why).toBe("no Vulkan loader (libvulkan.so.1)");
  });

  it("without a driver, be it that a variable names none", async () => {
    expect(await whyNoGpu({ findLibrary, env: {}, folders: [join(folder, "none")] })).toBe(
      "no Vulkan driver",
    );
    expect(await whyNoGpu({ findLibrary, env: { VK_DRIVER_FILES: "" } })).toBe("no Vulkan driver");
  });

  it("without a device, whatever drivers are installed", async () => {
    const env = { XDG_DATA_DIRS: join(folder, "share") };
    const devices = ["null", "nvram", "tty"];
    expect(await whyNoGpu({ findLibrary, env, devices })).toBe("no GPU among the devices");
  });
});

it("a GPU may be there with a loader and a driver, in the folders of data or named", async () => {
  const shared = { XDG_DATA_DIRS: join(folder, "share") };
  expect(await whyNoGpu({ findLibrary, env: shared, devices: ["dri"] })).toBeUndefined();
  const named = { VK_ICD_FILENAMES: join(folder, "own.json") };
  expect(await whyNoGpu({ findLibrary, env: named, devices: ["nvidia0"] })).toBeUndefined();
});
