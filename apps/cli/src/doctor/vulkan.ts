/** What the WebGPU provider needs on Linux: the Vulkan loader, and drivers that it finds. */
import { readFile, readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { about } from "./finding.ts";
import type { Finding } from "./finding.ts";
import type { FindLibrary } from "./libraries.ts";

const loader = "libvulkan.so.1";

export interface VulkanMachine {
  findLibrary: FindLibrary;
  env?: NodeJS.ProcessEnv;
  /** Folders of driver manifests, where no variable names files. */
  folders?: readonly string[];
}

/** Where the loader looks for drivers. */
const driverFolders = [
  join(homedir(), ".local/share/vulkan/icd.d"),
  "/etc/vulkan/icd.d",
  "/usr/local/share/vulkan/icd.d",
  "/usr/share/vulkan/icd.d",
];

export async function checkVulkan({
  findLibrary,
  env = process.env,
  folders = driverFolders,
}: VulkanMachine): Promise<Finding[]> {
  const say = about("vulkan");
  const path = await findLibrary(loader);
  if (path === undefined)
    return [say.optional(`no ${loader}, so no WebGPU; Debian and Ubuntu: apt install libvulkan1`)];
  const named = env["VK_DRIVER_FILES"] ?? env["VK_ICD_FILENAMES"];
  const manifests =
    named === undefined ? await manifestsIn(folders) : named.split(delimiter).filter(Boolean);
  if (manifests.length === 0)
    return [
      say.optional(
        `loader ${path}, but no driver: no manifest in ${folders.join(", ")}; install the GPU's driver, in a container of NVIDIA with NVIDIA_DRIVER_CAPABILITIES=all or with graphics in it`,
      ),
    ];
  const drivers = await Promise.all(manifests.map((file) => checkDriver(file, findLibrary)));
  return [say.ok(`loader ${path}`), ...drivers];
}

async function manifestsIn(folders: readonly string[]): Promise<string[]> {
  const found = folders.map(async (folder) => {
    const names = await readdir(folder).catch(() => []);
    return names.filter((name) => name.endsWith(".json")).map((name) => join(folder, name));
  });
  return (await Promise.all(found)).flat();
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
