/** What Vulkan is made of on Linux: a loader, and manifests that name drivers. */
import { readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { bindingFolder, libraryFinder } from "./libraries.ts";
import type { FindLibrary } from "./libraries.ts";

/** Name of the library that finds drivers. */
export const vulkanLoader = "libvulkan.so.1";

/** What is there of Vulkan. */
export interface VulkanParts {
  /** Path of the loader, undefined where there is none. */
  readonly loader: string | undefined;
  /** Files that name a driver's library each. */
  readonly manifests: readonly string[];
  /** Where manifests were looked for; empty where a variable names them. */
  readonly folders: readonly string[];
}

/** Where to look, if not where this process does. */
export interface VulkanMachine {
  findLibrary?: FindLibrary;
  env?: NodeJS.ProcessEnv;
  /** Folders of driver manifests, where no variable names files. */
  folders?: readonly string[];
  /** Names in the folder of devices. */
  devices?: readonly string[];
}

/** Looks without loading anything: the provider itself takes a fifth of a second, and prints warnings. */
export async function findVulkan({
  findLibrary = libraryFinder([bindingFolder() ?? ""].filter(Boolean)),
  env = process.env,
  folders = driverFolders(env),
}: VulkanMachine = {}): Promise<VulkanParts> {
  const loader = await findLibrary(vulkanLoader);
  const named = env["VK_DRIVER_FILES"] ?? env["VK_ICD_FILENAMES"];
  if (named !== undefined)
    return { loader, manifests: named.split(delimiter).filter(Boolean), folders: [] };
  return { loader, manifests: await manifestsIn(folders), folders };
}

/** Why no GPU can be reached on this machine, undefined where one may be; macOS and Windows bring what it takes. */
export async function whyNoGpu(machine: VulkanMachine = {}): Promise<string | undefined> {
  if (process.platform !== "linux") return undefined;
  const { loader, manifests } = await findVulkan(machine);
  if (loader === undefined) return `no Vulkan loader (${vulkanLoader})`;
  if (manifests.length === 0) return "no Vulkan driver";
  // Drivers are installed where no GPU is, too: then software passes for one, and its self-test takes long.
  const devices = machine.devices ?? (await readdir("/dev").catch(() => []));
  return devices.some((name) => graphics.test(name)) ? undefined : "no GPU among the devices";
}

/** What GPUs are called: by the kernel's graphics, NVIDIA's own driver, Windows below Linux, phones and boards. */
const graphics = /^(dri|nvidia\d+|dxg|kgsl.*|mali\d+)$/;

/** Where the loader looks for drivers. */
function driverFolders(env: NodeJS.ProcessEnv): string[] {
  const shared = env["XDG_DATA_DIRS"] || "/usr/local/share:/usr/share";
  const roots = [
    join(homedir(), ".local/share"),
    "/etc",
    ...shared.split(delimiter).filter(Boolean),
    "/usr/local/nvidia/share",
  ];
  return roots.map((root) => join(root, "vulkan/icd.d"));
}

async function manifestsIn(folders: readonly string[]): Promise<string[]> {
  const found = folders.map(async (folder) => {
    const names = await readdir(folder).catch(() => []);
    return names.filter((name) => name.endsWith(".json")).map((name) => join(folder, name));
  });
  return (await Promise.all(found)).flat();
}
