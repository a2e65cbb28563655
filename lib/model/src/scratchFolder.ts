/**
 * Folders beside a model, or a copy of a graph, while it is written. Their names
 * say which process they belong to (`nano.partial.PID.HOST.RANDOM`), so that two
 * that write to one place never mix, and what a killed one left can be told from
 * what is in use.
 */
import { randomBytes } from "node:crypto";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";

/** `partial` is being written, `old` is a model on its way out while a new one takes its place. */
type ScratchKind = "partial" | "old";

/** Folders this process is using; a recycled process number does not make an old one ours. */
const inUse = new Set<string>();

/** The name of a folder for `action`, which makes and removes the folder itself. */
export async function withScratchName<T>(
  out: string,
  kind: ScratchKind,
  action: (path: string) => Promise<T>,
): Promise<T> {
  const owner = `${process.pid}.${hostname()}.${randomBytes(4).toString("hex")}`;
  const path = `${out}.${kind}.${owner}`;
  inUse.add(path);
  try {
    return await action(path);
  } finally {
    inUse.delete(path);
  }
}

/**
 * Removes what killed processes that wrote to `out` left on this machine. One that was
 * killed between moving the old model away and the new one in is undone: the
 * old model comes back.
 */
export async function cleanUpAfterKilled(out: string): Promise<void> {
  const names = await readdir(dirname(out)).catch(() => []);
  for (const name of names) {
    const scratch = parseScratchName(name, basename(out));
    const path = join(dirname(out), name);
    if (!scratch || inUse.has(path) || isRunning(scratch)) continue;
    if (scratch.kind === "old" && !(await exists(out))) await rename(path, out);
    else await rm(path, { recursive: true, force: true });
  }
}

/**
 * Renames a whole folder to `out`; of several that try at once each succeeds or is told.
 * @returns false where something is there that may not be replaced
 */
export async function moveIntoPlace(
  partial: string,
  out: string,
  replace: boolean,
): Promise<boolean> {
  if (!replace) return tryRename(partial, out, occupied);
  // A folder cannot be exchanged for another in one step; if we are killed
  // between the two, the next conversion brings the old one back.
  for (let isDone = false; !isDone;)
    isDone = await withScratchName(out, "old", async (old) => {
      const hadOld = await tryRename(out, old, ["ENOENT"]);
      const moved = await tryRename(partial, out, occupied).catch(async (error: unknown) => {
        if (hadOld) await rename(old, out);
        throw error;
      });
      await rm(old, { recursive: true, force: true });
      return moved;
    });
  return true;
}

/** What renaming a folder to one with something in it says, by system. */
const occupied = ["ENOTEMPTY", "EEXIST"];

/** @returns whether it was done; false where it failed with one of these codes */
async function tryRename(from: string, to: string, codes: readonly string[]): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (codes.includes((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  }
}

interface ScratchOwner {
  readonly kind: ScratchKind;
  readonly pid: number;
  readonly host: string;
}

function parseScratchName(name: string, model: string): ScratchOwner | undefined {
  if (!name.startsWith(`${model}.`)) return undefined;
  const match = /^(partial|old)\.(\d+)\.(.+)\.[0-9a-f]{8}$/.exec(name.slice(model.length + 1));
  if (!match) return undefined;
  return { kind: match[1] as ScratchKind, pid: Number(match[2]), host: match[3]! };
}

/** Of another machine nobody can tell; its folders are left alone. */
function isRunning({ pid, host }: ScratchOwner): boolean {
  if (host !== hostname()) return true;
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Whether there is a file or folder at a path. */
export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
