/** A process that trains, from outside. */
import { fork } from "node:child_process";
import { TinyGptvError, abortError } from "@tinygptv/protocol";
import type { TrainingEvent } from "@tinygptv/train";
import type { FromTraining, Task, TaskResults } from "./messages.ts";

/** Milliseconds that a process has to stop: a step of a large model takes as long. */
const patience = 30_000;

/**
 * Runs one task in a process of its own, so that neither answers nor the event loop wait for it.
 * Resolves when the process has ended.
 * @throws TinyGptvError of the task; "aborted"; "engine" where the process dies first
 */
export async function runTask<T extends Task>(
  task: T,
  { signal, onEvent }: { signal: AbortSignal; onEvent?: (event: TrainingEvent) => void },
): Promise<TaskResults[T["kind"]]> {
  if (signal.aborted) throw abortError(signal);
  const child = fork(new URL("./trainingProcess.ts", import.meta.url), [], {
    serialization: "advanced",
    execArgv: [],
    stdio: ["ignore", 2, 2, "ipc"],
  });
  const ended = Promise.withResolvers<string>();
  let last: Exclude<FromTraining, { type: "event" }> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  child.on("message", (message: FromTraining) => {
    if (message.type === "event") onEvent?.(message.event);
    else last = message;
  });
  child.on("error", ({ message }) => ended.resolve(message));
  child.on("exit", (code, by) => ended.resolve(by ? `ended by ${by}` : `ended with code ${code}`));
  const stop = () => {
    child.send({ type: "stop" }, () => {});
    timer = setTimeout(() => child.kill("SIGKILL"), patience);
  };
  signal.addEventListener("abort", stop, { once: true });
  child.send({ type: "start", task }, () => {});
  const how = await ended.promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", stop);
  if (last?.type === "done") return last.result as TaskResults[T["kind"]];
  if (signal.aborted) throw abortError(signal);
  if (last === undefined) throw new TinyGptvError("engine", `the process that trains ${how}`);
  const { code, message, subject } = last.error;
  if (code === undefined) throw new Error(message);
  throw new TinyGptvError(code, message, subject === undefined ? {} : { subject });
}
