/** A model folder: whole, and small enough for this machine. */
import { stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { readManifest } from "@tinygptv/model/disk";
import type { Manifest } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";
import { sha256Of } from "@tinygptv/transfer";
import { copiesOf, listModels } from "tinygptv";
import { formatBytes } from "../terminal/output.ts";
import { about } from "./finding.ts";
import type { Finding } from "./finding.ts";

export interface ModelCheckOptions {
  /** Compares the content of files with their checksums, not only their sizes. */
  deep?: boolean | undefined;
  /** Bytes of memory that are free, within what this process may have. */
  freeMemory?: number;
}

export async function checkModel(
  folder: string,
  { deep = false, freeMemory = process.availableMemory() }: ModelCheckOptions = {},
): Promise<Finding[]> {
  const say = about(`model ${folder}`);
  try {
    const manifest = await readManifest(folder);
    const faults = await faultsOf(folder, manifest, deep);
    const { length } = manifest.files;
    const whole = faults.map((fault) => say.fix(`${fault}; convert or fetch the model again`));
    if (whole.length === 0)
      whole.push(
        say.ok(
          deep
            ? `${length} files, each with its checksum`
            : `${length} files, each of its size (--deep: checksums too)`,
        ),
      );
    return [
      ...whole,
      await checkMemory(folder, manifest, freeMemory),
      ...(await checkCopies(folder)),
    ];
  } catch (error) {
    if (!(error instanceof TinyGptvError)) throw error;
    return [say.fix(error.message)];
  }
}

async function faultsOf(folder: string, { files }: Manifest, deep: boolean): Promise<string[]> {
  const faults: string[] = [];
  for (const { path, bytes, sha256 } of files) {
    const file = join(folder, path);
    const size = (await stat(file).catch(() => undefined))?.size;
    if (size !== bytes) faults.push(`${file}: want ${bytes} bytes, got ${size ?? "no such file"}`);
    else if (deep && (await sha256Of(file)) !== sha256)
      faults.push(`${file}: want content with sha256 ${sha256}, got another`);
  }
  return faults;
}

async function checkMemory(
  folder: string,
  { defaultLevel }: Manifest,
  free: number,
): Promise<Finding> {
  const say = about(`memory for ${folder}`);
  const levels = await listModels(folder);
  const { id, memoryBytes } = levels.find(({ level }) => level === defaultLevel)!;
  const words = `${id} takes up to ${formatBytes(memoryBytes)}, ${formatBytes(free)} are free`;
  return memoryBytes <= free
    ? say.ok(words)
    : say.fix(`${words}; take a smaller level, or less context with TINYGPTV_CACHE_BYTES`);
}

/** Copies that make loading quick, and room for those that are missing. */
async function checkCopies(folder: string): Promise<Finding[]> {
  const say = about(`disk for ${folder}`);
  const missing = (await copiesOf(folder)).filter(({ state }) => state === "missing");
  const wanted = missing.reduce((sum, { bytes }) => sum + bytes, 0);
  const { bavail, bsize } = await statfs(folder);
  const free = `${formatBytes(bavail * bsize)} are free`;
  if (wanted === 0) return [say.ok(`no copies for quick loads are missing, ${free}`)];
  const words = `copies for quick loads take ${formatBytes(wanted)}, ${free}`;
  return [
    bavail * bsize > wanted
      ? say.ok(`${words}; \`tinygptv prepack\` makes them`)
      : say.optional(`${words}: loading takes longer without`),
  ];
}
