/**
 * One engine process from outside, from its start to its end: carries calls to
 * it and answers back, and fails what is in flight when it dies.
 */
import { fork } from "node:child_process";

import { TinyGptvError, throwIfAborted } from "@tinygptv/protocol";
import type { CopiesNews, GenerateEvent, ModelInfo } from "@tinygptv/protocol";
import type { CallHandlers } from "./answerStream.ts";
import type {
  Call,
  CallResults,
  FromChild,
  HostOptions,
  HostStatus,
  ToChild,
  WireError,
} from "./messages.ts";
import { fromWire } from "./messages.ts";
import { pulseDescriptor } from "./pulse.ts";
import { withHugePages } from "./hugePages.ts";
import { createPictureSender } from "./sentPictures.ts";
import { createWatchdog } from "./watchdog.ts";
import type { Watchdog } from "./watchdog.ts";

export interface EngineProcess {
  readonly pid: number | undefined;
  /** Resolves when it takes calls. @throws TinyGptvError where it could not start. */
  readonly ready: Promise<void>;
  /** Resolves, never rejects, when the process has ended: how it ended, for messages. */
  readonly ended: Promise<string>;
  status(): HostStatus | undefined;
  /** Whether it gave a sign of life in the last seconds. */
  isAlive(): boolean;
  /**
   * Settles only when the process has: an abort is passed on, and the promise
   * rejects with `aborted` once the process has let go of the call.
   * @throws TinyGptvError of the call, `engine` where the process dies first.
   */
  call<C extends Call>(call: C, handlers?: CallHandlers): Promise<CallResults[C["method"]]>;
  /** Lets it unload and end; kills it where that takes longer than the stall timeout. */
  close(): Promise<void>;
}

export interface ProcessOptions extends Omit<HostOptions, "heartbeat"> {
  /** Module that calls `hostModels`. */
  module: URL;
  /** Milliseconds without a pulse after which the process counts as hung and is killed. */
  hangTimeout: number;
  /** Milliseconds after which its main thread counts as stuck: without a message, in a start, with a cancelled call. */
  stallTimeout: number;
  /** Hears what becomes of loaded models' copies. */
  onCopies: (news: CopiesNews) => void;
  /** Hears of each model that has been loaded. */
  onLoaded: (model: ModelInfo) => void;
}

interface Pending {
  resolve(value: CallResults[keyof CallResults]): void;
  reject(error: unknown): void;
  onEvent: ((event: GenerateEvent) => void) | undefined;
  /** Runs from when it was cancelled. */
  letGo?: Watchdog;
}

/** Milliseconds before the first message: Node and its modules are loaded, perhaps on a busy machine. */
const longestStart = 60_000;

/** Milliseconds without a pulse after which nobody should be sent to the process. */
const unresponsiveAfter = 5_000;

export function startEngineProcess(options: ProcessOptions): EngineProcess {
  const { module, hangTimeout, stallTimeout, onCopies, onLoaded, ...hostOptions } = options;
  const child = fork(module, [], {
    serialization: "advanced",
    env: withHugePages(process.env),
    // Flags of the program that starts it (`--input-type`, `--inspect`) are not for this process.
    execArgv: [],
    // Standard output belongs to the supervisor's program; what the process prints goes to standard error.
    stdio: ["ignore", 2, 2, "ipc", "pipe"],
  });
  const pending = new Map<number, Pending>();
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<string>();
  let lastId = 0;
  let status: HostStatus | undefined;
  let startError: WireError | undefined;
  let killedBecause: string | undefined;
  let death: TinyGptvError | undefined;
  ready.promise.catch(() => {}); // nobody has to wait for it

  function send(message: ToChild): void {
    // A failing send means a dead process; its end is handled where it is noticed.
    child.send(message, () => {});
  }

  const pictures = createPictureSender(send);

  function kill(because: string): void {
    killedBecause ??= because;
    child.kill("SIGKILL");
  }

  let thread: Watchdog | undefined;
  const start = createWatchdog(Math.max(stallTimeout, longestStart), () => kill("did not start"));
  let pulse: Watchdog | undefined;
  child.stdio[pulseDescriptor]!.on("data", () => {
    // From the first beat on: how long a start takes says nothing about a process.
    pulse ??= createWatchdog(hangTimeout, () => kill(`gave no sign of life for ${hangTimeout} ms`));
    pulse.heard();
  });

  child.on("message", (message: FromChild) => {
    start.stop();
    thread ??= createWatchdog(stallTimeout, () => kill(`was busy for ${stallTimeout} ms`));
    thread.heard();
    switch (message.type) {
      case "ready":
        return ready.resolve();
      case "startFailed":
        startError = message.error;
        return kill("could not start");
      case "status":
        status = message.status;
        return;
      case "copies":
        return onCopies(message.news);
      case "loaded":
        return onLoaded(message.model);
      case "lost":
        return kill(message.because);
      case "event":
        return pending.get(message.id)?.onEvent?.(message.event);
      case "result":
        return pending.get(message.id)?.resolve(message.value);
      case "error":
        return pending.get(message.id)?.reject(fromWire(message.error));
    }
  });
  child.on("error", (error) => end(error.message));
  child.on("exit", (code, signal) => {
    end(killedBecause ?? (signal ? `ended by ${signal}` : `ended with exit code ${code}`));
  });

  function end(how: string): void {
    for (const watchdog of [start, thread, pulse]) watchdog?.stop();
    death ??= new TinyGptvError("engine", `engine process ${child.pid ?? ""}: ${how}`);
    ready.reject(startError ? fromWire(startError) : death);
    for (const call of pending.values()) call.reject(death);
    ended.resolve(how);
  }

  const heartbeat = Math.min(1000, hangTimeout / 4);
  send({ type: "start", options: { ...hostOptions, heartbeat } });

  return {
    pid: child.pid,
    ready: ready.promise,
    ended: ended.promise,
    status: () => status,
    isAlive: () => (pulse?.silence ?? 0) < unresponsiveAfter,
    async call<C extends Call>(call: C, { signal, onEvent }: CallHandlers = {}) {
      throwIfAborted(signal);
      if (death) throw death;
      const id = ++lastId;
      const { promise, ...settle } = Promise.withResolvers<CallResults[keyof CallResults]>();
      const entry: Pending = { ...settle, onEvent };
      const onAbort = () => {
        entry.letGo = createWatchdog(stallTimeout, () =>
          kill(`did not let go of a cancelled call for ${stallTimeout} ms`),
        );
        entry.onEvent = undefined;
        send({ type: "cancel", id });
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      pending.set(id, entry);
      try {
        send({ type: "call", id, call: pictures.send(call) });
        return (await promise) as CallResults[C["method"]];
      } finally {
        pictures.letGo(call);
        pending.delete(id);
        entry.letGo?.stop();
        signal?.removeEventListener("abort", onAbort);
      }
    },
    async close() {
      const timer = setTimeout(() => kill("did not end when asked to"), stallTimeout);
      send({ type: "close" });
      await ended.promise;
      clearTimeout(timer);
    },
  };
}
