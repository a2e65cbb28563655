/** What a measurement depends on beside the program: processor, threads, memory. */
import { readFile } from "node:fs/promises";
import { cpus, loadavg, totalmem } from "node:os";
import { Worker } from "node:worker_threads";

export function describeMachine(threads: number) {
  return {
    processor: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    threads,
    memoryBytes: totalmem(),
    node: process.version,
    /** Processes that wanted to run in the last minute: more than cores means numbers to distrust. */
    load: loadavg()[0]!,
  };
}

const scanBytes = 2 ** 28;

/** Searches memory for a byte that is not there: the reading is done by the C library at full width. */
const scanner = `
  const { parentPort, workerData } = require("node:worker_threads");
  const memory = Buffer.alloc(workerData, 1);
  parentPort.on("message", () => { memory.indexOf(2); parentPort.postMessage(0); });
  parentPort.postMessage(0);
`;

/** Bytes a second that so many threads can read from memory together; the best of some tries. */
export async function memoryBandwidth(threads: number): Promise<number> {
  const workers = Array.from(
    { length: threads },
    () => new Worker(scanner, { eval: true, workerData: scanBytes }),
  );
  const all = () =>
    Promise.all(
      workers.map(
        (worker) => new Promise<void>((resolve) => worker.once("message", () => resolve())),
      ),
    );
  try {
    await all();
    let best = Infinity;
    for (let i = 0; i < 8; i++) {
      const start = performance.now();
      const done = all();
      for (const worker of workers) worker.postMessage(0);
      await done;
      best = Math.min(best, performance.now() - start);
    }
    return (threads * scanBytes) / (best / 1000);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/**
 * Bytes of memory of a process by the kernel's accounts: `Rss` with shared
 * pages, `Pss` with its share of them, `Anonymous` its own.
 */
export async function memoryOf(
  pid: number,
): Promise<{ rss: number; pss: number; anonymous: number }> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
  const bytes = (name: string) =>
    1024 * Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)![1]);
  return { rss: bytes("Rss"), pss: bytes("Pss"), anonymous: bytes("Anonymous") };
}
