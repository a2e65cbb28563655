/**
 * A lock between processes that share a folder: who holds it touches a file in
 * it every few seconds; whoever stops (killed, or `release`) loses it.
 *
 * Holders have numbers, one file each. Taking over is creating the next number,
 * which only one process can do, and nothing that might be alive is ever
 * removed, so there is no moment at which two contenders both see it free: one
 * that comes late with a number already passed finds a higher one and yields.
 */
import { mkdir, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { throwIfAborted } from "@tinygptv/protocol";

export interface LockOptions {
  /** A holder that gave no sign of life for so many milliseconds is dead (default 5 s). */
  staleAfter?: number;
  /** Milliseconds between looks at a lock that is held (default 50). */
  pollEvery?: number;
  signal?: AbortSignal;
}

/** The highest holder's number, 0 where nobody ever held it. */
async function highest(folder: string): Promise<number> {
  const numbers = (await readdir(folder)).map(Number).filter(Number.isSafeInteger);
  return Math.max(0, ...numbers);
}

/** Milliseconds since the last sign of life; a released lock's is 1970. */
async function silence(file: string): Promise<number> {
  try {
    return Date.now() - (await stat(file)).mtimeMs;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return Infinity;
    throw error;
  }
}

async function create(file: string): Promise<boolean> {
  try {
    await writeFile(file, `${hostname()} ${process.pid}\n`, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** One try: the number now held, undefined where another process holds the lock. */
async function tryAcquire(folder: string, staleAfter: number): Promise<number | undefined> {
  const last = await highest(folder);
  if (last > 0 && (await silence(join(folder, String(last)))) < staleAfter) return undefined;
  const mine = last + 1;
  if (!(await create(join(folder, String(mine))))) return undefined;
  if ((await highest(folder)) === mine) return mine;
  await rm(join(folder, String(mine)), { force: true });
  return undefined;
}

async function removeBelow(folder: string, mine: number): Promise<void> {
  for (const name of await readdir(folder))
    if (Number(name) < mine) await rm(join(folder, name), { force: true });
}

/**
 * Runs the action while holding the folder's lock, waiting for it as long as
 * others hold it. `lost` fires if the lock was taken over all the same (this
 * process was suspended for longer than `staleAfter`).
 */
export async function withFolderLock<T>(
  folder: string,
  action: (lost: AbortSignal) => Promise<T>,
  { staleAfter = 5_000, pollEvery = 50, signal }: LockOptions = {},
): Promise<T> {
  await mkdir(folder, { recursive: true });
  let mine: number | undefined;
  while ((mine = await tryAcquire(folder, staleAfter)) === undefined) {
    throwIfAborted(signal);
    await sleep(pollEvery);
  }
  const file = join(folder, String(mine));
  const lost = new AbortController();
  let beat = removeBelow(folder, mine).catch(() => {}); // the next holder clears what is left
  const timer = setInterval(() => {
    const now = new Date();
    beat = beat.then(() => utimes(file, now, now)).catch((error) => lost.abort(error));
  }, staleAfter / 5);
  try {
    return await action(lost.signal);
  } finally {
    clearInterval(timer);
    await beat;
    await utimes(file, 0, 0).catch(() => {}); // not ours any more, or it goes stale
  }
}
