/** What the WebGPU provider needs on Linux: the Vulkan loader, and drivers that it finds. */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { findVulkan, vulkanLoader } from "tinygptv/parts";
import type { FindLibrary, VulkanMachine } from "tinygptv/parts";
import { about } from "./finding.ts";
import type { Finding } from "./finding.ts";

export async function checkVulkan(
  machine: VulkanMachine & { findLibrary: FindLibrary },
): Promise<Finding[]> {
  const say = about("vulkan");
  const { loader, manifests, folders } = await findVulkan(machine);
  if (loader === undefined)
    return [
      say.optional(`no ${vulkanLoader}, so no WebGPU; Debian and Ubuntu: apt install libvulkan1`),
    ];
  if (manifests.length === 0)
    return [
      say.optional(
        `loader ${loader}, but no driver: no manifest in ${folders.join(", ")}; install the GPU's driver, in a container of NVIDIA with NVIDIA_DRIVER_CAPABILITIES=all or with graphics in it`,
      ),
    ];
  const drivers = await Promise.all(
    manifests.map((file) => checkDriver(file, machine.findLibrary)),
  );
  return [say.ok(`loader ${loader}`), ...drivers];
}

/** A driver's manifest, and whether its library is there. */
async function checkDriver(manifest: string, findLibrary: FindLibrary): Promise<Finding> {
  const say = about("vulkan driver");
  const library = await readFile(manifest, "utf8").then(libraryOf, () => undefined);
  if (library === undefined) return say.optional(`${manifest}: want a driver manifest, got none`);
  const path = library.includes("/") ? resolve(dirname(manifest), library) : library;
  const found = await findLibrary(path);
  return found === undefined
    ? say.optional(`${manifest} names ${library}, which is not there`)
    : say.ok(`${manifest} (${found})`);
}

function libraryOf(text: string): string | undefined {
  try {
    const { ICD } = JSON.parse(text) as { ICD?: { library_path?: string } };
    return ICD?.library_path;
  } catch {
    return undefined;
  }
}
