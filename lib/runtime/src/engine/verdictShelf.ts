/** Where verdicts of the self-test are on this machine, for as long as device, driver and program are the same. */
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, stat, writeFile } from "node:fs/promises";
import { arch, homedir, platform, release } from "node:os";
import { dirname, join } from "node:path";
import { version } from "@tinygptv/protocol";
import { runtimeVersion } from "../session/runtime.ts";
import type { VerdictShelf } from "./verdicts.ts";
import { findVulkan } from "./vulkan.ts";

/** Found by what can be seen of the device, the driver and the program. */
export async function verdictShelf(): Promise<VerdictShelf> {
  const path = join(cacheFolder(), `${await fingerprint()}.json`);
  return { read: () => readFile(path, "utf8"), keep: (text) => keep(path, text) };
}

async function keep(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}`;
  await writeFile(partial, text);
  await rename(partial, path);
}

function cacheFolder(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  return join(XDG_CACHE_HOME || LOCALAPPDATA || join(homedir(), ".cache"), "tinygptv", "devices");
}

/** What the result may depend on, as far as it can be seen from outside. */
async function fingerprint(): Promise<string> {
  const { LD_LIBRARY_PATH = "" } = process.env;
  const { manifests } = await findVulkan();
  const drivers = await Promise.all(manifests.map(describeFile));
  const facts = [
    version,
    runtimeVersion,
    platform(),
    arch(),
    release(),
    LD_LIBRARY_PATH,
    await textOf("/proc/driver/nvidia/version"),
    ...(await graphicsCards("/sys/class/drm")),
    ...drivers,
  ];
  return createHash("sha256").update(facts.join("\n")).digest("hex").slice(0, 32);
}

async function describeFile(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return `${path} ${found?.mtimeMs ?? "missing"} ${await textOf(path)}`;
}

/**
 * Maker and model of each, where Linux says so.
 * @param root handed in, since bundlers that trace files look through every folder that a program names
 */
async function graphicsCards(root: string): Promise<string[]> {
  const cards = await readdir(root).catch(() => []);
  return Promise.all(
    cards.map(async (card) => {
      const device = join(root, card, "device");
      return `${await textOf(join(device, "vendor"))} ${await textOf(join(device, "device"))}`;
    }),
  );
}

const textOf = (path: string) => readFile(path, "utf8").catch(() => "");
