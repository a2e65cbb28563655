import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { TinyGptvError } from "@tinygptv/protocol";
import { keepRunning } from "./connection.ts";
import type { EngineProcess } from "./engineProcess.ts";
import { noCounters } from "./modelPool.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Processes that start and end when the test says so. */
function fakeProcesses() {
  const started: { becomeReady(): void; fail(error: TinyGptvError): void; end(): void }[] = [];
  const times: number[] = [];
  const start = (): EngineProcess => {
    const ready = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<string>();
    times.push(performance.now());
    started.push({
      becomeReady: ready.resolve,
      fail: (error) => {
        ready.reject(error);
        ended.resolve("failed");
      },
      end: () => ended.resolve("ended"),
    });
    return {
      pid: started.length,
      ready: ready.promise,
      ended: ended.promise,
      status: () => ({
        ...noCounters(),
        generatedTokens: 10,
        rssBytes: 1,
        loadedModels: [],
        executionProviders: {},
      }),
      isAlive: () => true,
      call: () => expect.unreachable(),
      close: async () => ended.resolve("closed"),
    };
  };
  return { started, times, start };
}

const dead = new TinyGptvError("engine", "ended with exit code 3");

it("starts again at once after a healthy life, later and later where it keeps dying", async () => {
  const { started, times, start } = fakeProcesses();
  const connection = keepRunning(start);
  for (let i = 0; i < 12; i++) {
    started[i]!.becomeReady();
    await vi.advanceTimersByTimeAsync(0);
    started[i]!.end();
    await vi.advanceTimersToNextTimerAsync();
  }
  const pauses = times.slice(1).map((time, i) => time - times[i]!);
  expect(pauses).toEqual([0, 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000]);
  expect(connection.restarts).toBe(12);

  started[12]!.becomeReady();
  await vi.advanceTimersByTimeAsync(10_000);
  started[12]!.end();
  await vi.advanceTimersByTimeAsync(1);
  expect(started).toHaveLength(14);
});

it("hands the process to those who wait, also over a restart", async () => {
  const { started, start } = fakeProcesses();
  const connection = keepRunning(start);
  const waiting = connection.process();
  expect(connection.state).toBe("starting");
  started[0]!.fail(dead);
  await vi.advanceTimersByTimeAsync(1);
  expect(connection.state).toBe("restarting");
  started[1]!.becomeReady();
  expect((await waiting).pid).toBe(2);
  expect(connection.state).toBe("ready");
});

it("refuses after three starts that fail, until one succeeds", async () => {
  const { started, start } = fakeProcesses();
  const connection = keepRunning(start);
  const outcome = connection.process().catch((error: unknown) => error);
  for (let i = 0; i < 3; i++) {
    started[i]!.fail(dead);
    await vi.advanceTimersToNextTimerAsync();
  }
  expect(await outcome).toBe(dead);
  await expect(connection.process()).rejects.toBe(dead);
  started.at(-1)!.becomeReady();
  await vi.advanceTimersByTimeAsync(0);
  expect((await connection.process()).pid).toBe(4);
});

it("refuses at once where the process says why it cannot start", async () => {
  const { started, start } = fakeProcesses();
  const connection = keepRunning(start);
  const missing = new TinyGptvError("model", "no such folder");
  started[0]!.fail(missing);
  await expect(connection.process()).rejects.toBe(missing);
});

it("adds up what all processes counted", async () => {
  const { started, start } = fakeProcesses();
  const connection = keepRunning(start);
  started[0]!.becomeReady();
  started[0]!.end();
  await vi.advanceTimersByTimeAsync(1);
  expect(connection.counters().generatedTokens).toBe(20);
});

it("starts nothing after it is closed", async () => {
  const { started, start } = fakeProcesses();
  const connection = keepRunning(start);
  started[0]!.becomeReady();
  await vi.advanceTimersByTimeAsync(0);
  await connection.close();
  await vi.advanceTimersByTimeAsync(100_000);
  expect(started).toHaveLength(1);
  await expect(connection.process()).rejects.toMatchObject({ message: "engine: closed" });
  expect(connection.state).toBe("closed");
});
