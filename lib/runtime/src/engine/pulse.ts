/**
 * A sign of life that does not depend on the process' main thread: ONNX Runtime
 * blocks that one for as long as it computes or loads. A thread of its own
 * writes a byte a beat into a pipe; it falls silent when the whole process is
 * stopped, swapped out or dead.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";

/** File descriptor of the pipe in the engine process: the one after Node's own channel. */
export const pulseDescriptor = 4;

/** Text and not a module: a bundle of the engine process would have to bring one along. */
const beat = `
  const { parentPort, workerData } = require("node:worker_threads");
  const { writeSync } = require("node:fs");
  const write = () => {
    try {
      writeSync(workerData.descriptor, ".");
    } catch {
      clearInterval(timer); // nobody reads any more
    }
  };
  const timer = setInterval(write, workerData.interval);
  write();
  parentPort.postMessage("beating");
`;

/** Beats every `interval` milliseconds until the process ends; resolves after the first beat. */
export async function startPulse(interval: number): Promise<void> {
  const worker = new Worker(beat, {
    eval: true,
    execArgv: [],
    workerData: { interval, descriptor: pulseDescriptor },
  });
  await once(worker, "message");
  worker.unref();
}
