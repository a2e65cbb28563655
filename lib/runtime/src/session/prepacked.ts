/**
 * Copies of graphs as ONNX Runtime keeps them in memory on this machine.
 * Opening one takes half the time and maps the weights instead of copying
 * them: processes that run the same model share its pages.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, open, readFile, readdir, rm, stat, statfs, writeFile } from "node:fs/promises";
import { constants, cpus, setPriority } from "node:os";
import { dirname, join } from "node:path";
import { setInterval } from "node:timers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { cleanUpAfterKilled, exists, moveIntoPlace, withScratchName } from "@tinygptv/model/disk";
import { TinyGptvError, throwIfAborted } from "@tinygptv/protocol";
import { runtimeVersion } from "./runtime.ts";

/** Below this, loading is too quick for a copy to be worth its place. */
const worthwhile = 64 * 2 ** 20;
/** Of the graph's own size: what a copy takes on disk, and what making one takes of memory, at most. */
const onDisk = 2.1;
const inMemory = 2.1;
/** Bytes that stay free on a disk, for everybody else. */
const spared = 2 ** 30;

/** Which graph a copy is of, and where it is kept. */
export interface CopyPlace {
  /** Where copies are kept. */
  folder: string;
  /** The graph's name; its copy of another model version or runtime is replaced. */
  name: string;
  /** Says which graph this is: changes whenever its files do. */
  fingerprint: string;
  /** Bytes of the graph's files. */
  bytes: number;
}

/**
 * Whether a graph has a copy. `useless`: a small one, which loads as quickly
 * without, or one whose copy was tried and computes something else.
 */
export type CopyState = "ready" | "missing" | "useless";

export interface MakeCopyOptions {
  /** Called now and then with the bytes written so far. */
  onBytes?: ((bytes: number) => void) | undefined;
  /** Makes way for everything else that the machine does. */
  inBackground?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/** What must be there for a copy to count as whole; written last. */
interface Seal {
  /** Without files: a copy was tried and computes something else. */
  files: Record<string, { bytes: number; sample: string }>;
}

/** Changes with how copies are made and checked. */
const copyVersion = 4;
const graphName = "graph.onnx";
const sealName = "seal.json";

/** Bytes that the copy of a graph of so many takes, about; 0 where none is made. */
export function copyBytes(bytes: number): number {
  return bytes < worthwhile ? 0 : Math.round(onDisk * bytes);
}

/** Looks for a graph's copy. @returns the path to open in its place where it is ready */
export async function findCopy(
  place: CopyPlace,
): Promise<{ state: CopyState; path?: string | undefined }> {
  if (place.bytes < worthwhile) return { state: "useless" };
  const entry = await entryOf(place);
  if (!(await isWhole(entry))) return { state: "missing" };
  const path = join(entry, graphName);
  return (await exists(path)) ? { state: "ready", path } : { state: "useless" };
}

/**
 * Makes the copy of a graph where it is missing or damaged.
 * @throws TinyGptvError "io" where the disk has too little room or refuses, "memory" where too
 *   little is free, "model" where the graph cannot be loaded, "aborted"
 */
export async function makeCopy(
  path: string,
  place: CopyPlace,
  options: MakeCopyOptions = {},
): Promise<CopyState> {
  const found = await findCopy(place);
  if (found.state !== "missing") return found.state;
  const { folder, name } = place;
  const entry = await entryOf(place);
  try {
    await mkdir(folder, { recursive: true });
    await clear(folder, name, entry);
    await requireRoom(place);
    await build(path, entry, options);
  } catch (error) {
    throwIfAborted(options.signal);
    if (error instanceof TinyGptvError) throw error;
    const reason = (error as Error).message;
    throw new TinyGptvError("io", `${folder}: cannot write the copy of ${name}: ${reason}`, {
      cause: error,
    });
  }
  return (await findCopy(place)).state;
}

/** Removes a copy that turned out not to open. */
export async function discardCopy(copy: string): Promise<void> {
  await rm(dirname(copy), { recursive: true, force: true });
}

async function entryOf({ folder, name, fingerprint }: CopyPlace): Promise<string> {
  const key = createHash("sha256")
    .update(JSON.stringify([copyVersion, fingerprint, runtimeVersion, await processor()]))
    .digest("hex")
    .slice(0, 16);
  return join(folder, `${name}-${key}`);
}

async function requireRoom(place: CopyPlace): Promise<void> {
  const { folder, name, bytes } = place;
  const { bavail, bsize } = await statfs(folder);
  const wanted = copyBytes(bytes) + spared;
  if (bavail * bsize < wanted)
    throw new TinyGptvError(
      "io",
      `${folder}: want ${wanted} bytes of free disk space for the copy of ${name}, got ${bavail * bsize}`,
    );
  const memory = process.availableMemory();
  if (memory < inMemory * bytes)
    throw new TinyGptvError(
      "memory",
      `${name}: want ${Math.round(inMemory * bytes)} bytes of free memory to make its copy, got ${memory}`,
    );
}

/**
 * Writes a copy beside its place and moves it there. Two processes that do so
 * at once write the same; the second finds the place taken and uses what is there.
 */
async function build(
  path: string,
  entry: string,
  { onBytes, inBackground, signal }: MakeCopyOptions,
): Promise<void> {
  await withScratchName(entry, "partial", async (partial) => {
    await mkdir(partial);
    const out = join(partial, graphName);
    const watch = setInterval(() => {
      void stat(`${out}.data`).then(
        ({ size }) => onBytes?.(size),
        () => {}, // not begun
      );
    }, 500);
    try {
      if ((await runChild(path, out, { inBackground, signal })) !== "usable")
        for (const name of await readdir(partial)) await rm(join(partial, name));
      await writeFile(join(partial, sealName), JSON.stringify(await seal(partial)));
      if (!(await moveIntoPlace(partial, entry, false)) && !(await isWhole(entry)))
        throw new Error(`${entry} is in the way`);
    } finally {
      clearInterval(watch);
      await rm(partial, { recursive: true, force: true });
    }
  });
}

/** In a process of its own: it takes seconds of a blocked thread, and memory that comes back in full only so. */
async function runChild(
  path: string,
  out: string,
  { inBackground, signal }: MakeCopyOptions,
): Promise<string> {
  const program = fileURLToPath(new URL("./prepackChild.ts", import.meta.url));
  const options = signal ? { signal } : {};
  const running = promisify(execFile)(process.execPath, [program, path, out], options);
  const { pid } = running.child;
  if (inBackground && pid !== undefined) setPriority(pid, constants.priority.PRIORITY_LOW);
  try {
    return (await running).stdout.trim();
  } catch (cause) {
    const { stderr, signal: killed } = cause as { stderr: string; signal: string | null };
    const reason = stderr.trim() || `the program that makes it ended by ${killed}`;
    throw new TinyGptvError("model", reason, { cause });
  }
}

/** Removes outdated and damaged copies of a graph, and what processes that died have left of one. */
async function clear(folder: string, name: string, wanted: string): Promise<void> {
  for (const found of await readdir(folder)) {
    const [, entry, suffix] = /^(.+-[0-9a-f]{16})(\..+)?$/.exec(found) ?? [];
    if (entry === undefined || entry.slice(0, -17) !== name) continue;
    const path = join(folder, entry);
    if (suffix !== undefined) await cleanUpAfterKilled(path);
    // Another process may have finished the same copy a moment ago.
    else if (path !== wanted || !(await isWhole(path)))
      await rm(path, { recursive: true, force: true });
  }
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
