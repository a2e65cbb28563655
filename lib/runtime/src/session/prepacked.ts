/**
 * Copies of graphs as ONNX Runtime keeps them in memory, written at the first
 * load on a machine. Opening one takes half the time and maps the weights
 * instead of copying them: processes that run the same model share its pages.
 */
import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import {
  mkdir,
  open,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  statfs,
  writeFile,
} from "node:fs/promises";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { runtimeVersion } from "./runtime.ts";

/** Below this, loading is too quick for a copy to be worth its place. */
const worthwhile = 64 * 2 ** 20;
/** A copy takes up to 2.1 times the graph's own size; the disk must stay usable. */
const freeSpaceFactor = 4;

export interface PrepackedOptions {
  /** Where copies are kept. */
  folder: string;
  /** The graph's name; its copy of another model version or runtime is replaced. */
  name: string;
  /** Says which graph this is: changes whenever its files do. */
  fingerprint: string;
  /** Bytes of the graph's files. */
  bytes: number;
}

/** What must be there for a copy to count as whole; written last. */
interface Seal {
  /** Without files: a copy was tried and computes something else. */
  files: Record<string, { bytes: number; sample: string }>;
}

/** Changes with how copies are made and checked. */
const copyVersion = 3;
const graphName = "graph.onnx";
const sealName = "seal.json";

/**
 * The path to open for a graph: its pre-packed copy, made now where there is
 * none or it is damaged; the graph itself where a copy is not worth it or
 * cannot be written.
 */
export async function prepackedCopy(path: string, options: PrepackedOptions): Promise<string> {
  const { folder, name, fingerprint, bytes } = options;
  if (bytes < worthwhile) return path;
  const key = createHash("sha256")
    .update(JSON.stringify([copyVersion, fingerprint, runtimeVersion, await processor()]))
    .digest("hex")
    .slice(0, 16);
  const entry = join(folder, `${name}-${key}`);
  const copy = join(entry, graphName);
  const choose = async () => ((await isUsable(copy)) ? copy : path);
  if (await isWhole(entry)) return choose();
  try {
    await mkdir(folder, { recursive: true });
    const { bavail, bsize } = await statfs(folder);
    if (bavail * bsize < freeSpaceFactor * bytes) return path;
    await clear(folder, name, entry);
    await build(path, entry);
    return await choose();
  } catch {
    // A read-only or full disk, say: the graph itself is as good, but for the time it takes to load.
    return path;
  }
}

/** Removes a copy that turned out not to open. */
export async function discardCopy(copy: string): Promise<void> {
  await rm(dirname(copy), { recursive: true, force: true });
}

/**
 * Writes a copy beside its place and moves it there. Two processes that do so
 * at once write the same; the second finds the place taken and uses what is there.
 */
async function build(path: string, entry: string): Promise<void> {
  const partial = `${entry}.${randomUUID()}.partial`;
  await mkdir(partial);
  try {
    const out = join(partial, graphName);
    // In a process of its own: it takes seconds of a blocked thread and twice the memory.
    const program = fileURLToPath(new URL("./prepackChild.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [program, path, out]);
    if (stdout.trim() !== "usable")
      for (const name of await readdir(partial)) await rm(join(partial, name));
    await writeFile(join(partial, sealName), JSON.stringify(await seal(partial)));
    await rename(partial, entry).catch(async (error: unknown) => {
      if (!(await isWhole(entry))) throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** Removes outdated and damaged copies of a graph, and what a process that died has left of one. */
async function clear(folder: string, name: string, wanted: string): Promise<void> {
  const anHourAgo = Date.now() - 3_600_000;
  for (const found of await readdir(folder)) {
    const path = join(folder, found);
    const rest = found.slice(name.length);
    if (!found.startsWith(name) || !/^-[0-9a-f]{16}(\.|$)/.test(rest)) continue;
    const isBeingWritten =
      found.endsWith(".partial") &&
      ((await stat(path).catch(() => undefined))?.mtimeMs ?? 0) > anHourAgo;
    // Another process may have finished the same copy a moment ago.
    if (isBeingWritten || (path === wanted && (await isWhole(path)))) continue;
    await rm(path, { recursive: true, force: true });
  }
}

/** Of a whole entry: whether there is a copy in it, or only the note that there can be none. */
function isUsable(copy: string): Promise<boolean> {
  return stat(copy).then(
    () => true,
    () => false,
  );
}

async function seal(folder: string): Promise<Seal> {
  const files: Seal["files"] = {};
  for (const name of await readdir(folder)) files[name] = await describe(join(folder, name));
  return { files };
}

async function isWhole(entry: string): Promise<boolean> {
  try {
    const { files } = JSON.parse(await readFile(join(entry, sealName), "utf8")) as Seal;
    for (const [name, want] of Object.entries(files)) {
      const found = await describe(join(entry, name));
      if (found.bytes !== want.bytes || found.sample !== want.sample) return false;
    }
    return true;
  } catch {
    return false;
  }
}

/** Size and a hash of a page out of every 4 MiB: finds files cut short, overwritten or lost by a crash, at no cost worth mentioning. */
async function describe(path: string): Promise<{ bytes: number; sample: string }> {
  const file = await open(path);
  try {
    await file.sync();
    const { size } = await file.stat();
    const hash = createHash("sha256");
    const page = new Uint8Array(4096);
    for (let offset = 0; offset < size; offset += 4 * 2 ** 20) {
      const { bytesRead } = await file.read(page, 0, page.length, offset);
      hash.update(page.subarray(0, bytesRead));
    }
    return { bytes: size, sample: hash.digest("hex") };
  } finally {
    await file.close();
  }
}

/** What chooses the kernels, and so the order of the weights. */
async function processor(): Promise<string> {
  const model = cpus()[0]?.model ?? "";
  const features = await readFile("/proc/cpuinfo", "utf8").then(
    (text) => /^(?:flags|Features)\s*:.*/m.exec(text)?.[0] ?? "",
    () => "", // not Linux
  );
  return `${process.arch} ${model} ${features}`;
}
