/**
 * Keeps an engine process running: starts it, starts it again when it dies,
 * waits longer and longer where it keeps dying.
 */
import { TinyGptvError } from "@tinygptv/protocol";
import type { EngineStatus } from "@tinygptv/protocol";
import type { EngineProcess } from "./engineProcess.ts";
import type { Counters } from "./messages.ts";
import { addCounters, noCounters } from "./modelPool.ts";

export interface Connection {
  /**
   * The process, once it takes calls.
   * @throws TinyGptvError where it cannot start: what it said itself, or `engine`
   *   after three failed starts. It is tried again in the background all the same.
   */
  process(): Promise<EngineProcess>;
  readonly state: EngineStatus["state"];
  readonly restarts: number;
  /** Totals over all processes so far. */
  counters(): Counters;
  status(): ReturnType<EngineProcess["status"]>;
  close(): Promise<void>;
}

/** A process that lived so long (ms) was healthy: its end says nothing about the next one. */
const healthyAfter = 10_000;
const startsBeforeRefusing = 3;

/** Pause (ms) before the next start, by deaths in a row: none after the first, then doubling up to 30 s. */
function restartDelay(deaths: number): number {
  return deaths <= 1 ? 0 : Math.min(100 * 2 ** (deaths - 2), 30_000);
}

export function keepRunning(start: () => EngineProcess): Connection {
  let current: EngineProcess | undefined;
  let isReady = false;
  let state: EngineStatus["state"] = "starting";
  let restarts = 0;
  let deaths = 0;
  let failedStarts = 0;
  let refusal: unknown;
  let timer: NodeJS.Timeout | undefined;
  const past = noCounters();
  const waiting: PromiseWithResolvers<EngineProcess>[] = [];

  function launch(): void {
    const process = start();
    current = process;
    void watchStart(process);
    void watchEnd(process);
  }

  async function watchStart(process: EngineProcess): Promise<void> {
    try {
      await process.ready;
      isReady = true;
      if (state !== "closed") state = "ready";
      failedStarts = 0;
      refusal = undefined;
      for (const caller of waiting.splice(0)) caller.resolve(process);
    } catch (error) {
      failedStarts += 1;
      // What the process said itself (a missing model) is worth hearing at once.
      const isExplained = !(error instanceof TinyGptvError && error.code === "engine");
      if (isExplained || failedStarts >= startsBeforeRefusing) refuse(error);
    }
  }

  async function watchEnd(process: EngineProcess): Promise<void> {
    const startedAt = performance.now();
    await process.ended;
    addCounters(past, process.status() ?? noCounters());
    current = undefined;
    isReady = false;
    if (state === "closed") return;
    state = "restarting";
    deaths = performance.now() - startedAt < healthyAfter ? deaths + 1 : 1;
    timer = setTimeout(() => {
      restarts += 1;
      launch();
    }, restartDelay(deaths));
  }

  function refuse(error: unknown): void {
    refusal = error;
    for (const caller of waiting.splice(0)) caller.reject(error);
  }

  launch();

  return {
    async process() {
      if (current && isReady) return current;
      if (refusal !== undefined) throw refusal;
      const caller = Promise.withResolvers<EngineProcess>();
      waiting.push(caller);
      return caller.promise;
    },
    get state() {
      return state === "ready" && !current?.isAlive() ? "unresponsive" : state;
    },
    get restarts() {
      return restarts;
    },
    counters() {
      const total = { ...past, batchSize: 0 };
      addCounters(total, current?.status() ?? noCounters());
      return total;
    },
    status: () => current?.status(),
    async close() {
      state = "closed";
      clearTimeout(timer);
      refuse(new TinyGptvError("engine", "engine: closed"));
      await current?.close();
    },
  };
}
