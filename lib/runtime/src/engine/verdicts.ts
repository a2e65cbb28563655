/** Verdicts of the self-test, kept for as long as device, driver and program are the same. */
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, stat, writeFile } from "node:fs/promises";
import { arch, homedir, platform, release } from "node:os";
import { dirname, join } from "node:path";
import { version } from "@tinygptv/protocol";
import { z } from "zod";
import { runtimeVersion } from "../session/runtime.ts";
import type { Verdict } from "../session/selfTest.ts";
import { findVulkan } from "./vulkan.ts";

const verdictSchema = z.object({
  forms: z.array(
    z.object({
      attention: z.enum(["inPlace", "grouped"]),
      precision: z.enum(["float32", "float16"]),
    }),
  ),
  findings: z.array(
    z.object({
      what: z.string(),
      passed: z.boolean(),
      got: z.union([z.number(), z.string()]),
    }),
  ),
  speed: z.number(),
}) satisfies z.ZodType<Verdict>;

/** A verdict from an earlier time, or a new one, which is kept if it is good and there is a place for it. */
export async function keptVerdict(test: () => Promise<Verdict>): Promise<Verdict> {
  const path = join(cacheFolder(), `${await fingerprint()}.json`);
  const kept = await readFile(path, "utf8")
    .then((text) => verdictSchema.parse(JSON.parse(text)))
    .catch(() => undefined); // none, or of another form: then it is made again
  if (kept) return kept;
  const verdict = await test();
  // What failed may be mended by the next start: a driver installed, memory free again.
  if (verdict.forms.length > 0) await keep(path, verdict).catch(() => {}); // a read-only disk costs the next start some seconds
  return verdict;
}

async function keep(path: string, verdict: Verdict): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}`;
  await writeFile(partial, JSON.stringify(verdict));
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
