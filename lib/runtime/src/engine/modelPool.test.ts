import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Model } from "../model.ts";
import type { ModelInfo } from "@tinygptv/protocol";
import { createModelPool, noCounters } from "./modelPool.ts";
import type { ModelOpener, PoolOptions } from "./modelPool.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function infoOf(name: string): ModelInfo {
  return {
    id: `${name}:x`,
    name,
    level: "x",
    weights: "random",
    fileBytes: 1,
    memoryBytes: 100,
    contextLength: 1,
    imageSize: 1,
    loaded: false,
    executionProvider: undefined,
    integerWeights: undefined,
  };
}

const unused = async () => expect.unreachable();

/** Folders hold one level, `<folder>:x`, of 100 bytes; what happens to them is logged. */
function opener(log: string[], failing = new Set<string>()): ModelOpener {
  return {
    list: async (folder) => [infoOf(folder)],
    async open(folder) {
      await Promise.resolve();
      if (failing.delete(folder)) throw new Error(`${folder} is damaged`);
      log.push(`open ${folder}`);
      return {
        info: { ...infoOf(folder), loaded: true },
        answer: unused,
        generate: () => expect.unreachable(),
        score: unused,
        tokenize: () => [],
        detokenize: () => "",
        preprocess: unused,
        counters: () => ({ ...noCounters(), generatedTokens: 1, batchSize: 2 }),
        async close() {
          log.push(`close ${folder}`);
        },
      } satisfies Model;
    },
  };
}

function create(log: string[], options: Partial<PoolOptions> = {}, failing?: Set<string>) {
  return createModelPool(opener(log, failing), {
    models: ["a", "b", "c"],
    maxBatch: 1,
    memoryLimit: undefined,
    cacheBytes: undefined,
    idleUnload: undefined,
    ...options,
  });
}

it("loads a model once for many users, and only when asked for", async () => {
  const log: string[] = [];
  const pool = await create(log);
  const leases = await Promise.all([
    pool.acquire("a"),
    pool.acquire("a:x"),
    pool.acquire(undefined),
  ]);
  expect(new Set(leases.map((lease) => lease.model.info.id))).toEqual(new Set(["a:x"]));
  expect(log).toEqual(["open a"]);
  expect((await pool.list()).map((info) => info.loaded)).toEqual([true, false, false]);
});

it("unloads the least recently used model when another needs its memory", async () => {
  const log: string[] = [];
  const pool = await create(log, { memoryLimit: 200 });
  for (const id of ["a", "b", "a", "c"]) (await pool.acquire(id)).release();
  expect(log).toEqual(["open a", "open b", "close b", "open c"]);
});

it("waits for a model in use, in order of arrival", async () => {
  const log: string[] = [];
  const pool = await create(log, { memoryLimit: 100 });
  const first = await pool.acquire("a");
  const second = pool.acquire("b");
  const third = pool.acquire("a"); // loaded, but it came after the one that waits
  await vi.advanceTimersByTimeAsync(1000);
  expect(log).toEqual(["open a"]);
  first.release();
  (await second).release();
  await third;
  expect(log).toEqual(["open a", "close a", "open b", "close b", "open a"]);
});

it("lets a waiting call give up", async () => {
  const pool = await create([], { memoryLimit: 100 });
  const first = await pool.acquire("a");
  const controller = new AbortController();
  const second = pool.acquire("b", controller.signal);
  const third = pool.acquire("a");
  await Promise.resolve();
  controller.abort();
  await expect(second).rejects.toMatchObject({ code: "aborted" });
  expect((await third).model).toBe(first.model);
});

it("unloads a model nobody used for idleUnload", async () => {
  const log: string[] = [];
  const pool = await create(log, { idleUnload: 1000 });
  const lease = await pool.acquire("a");
  await vi.advanceTimersByTimeAsync(5000);
  lease.release();
  await vi.advanceTimersByTimeAsync(900);
  (await pool.acquire("a")).release(); // used again: the clock starts anew
  await vi.advanceTimersByTimeAsync(900);
  expect(log).toEqual(["open a"]);
  await vi.advanceTimersByTimeAsync(100);
  expect(log).toEqual(["open a", "close a"]);
  expect(pool.counters()).toMatchObject({ generatedTokens: 1, batchSize: 0 });
});

it("tries a model that could not be opened again after a while, and answers at once until then", async () => {
  const log: string[] = [];
  const failing = new Set(["a"]);
  let time = 0;
  const pool = await create(log, { memoryLimit: 100, now: () => time }, failing);
  const together = [pool.acquire("a"), pool.acquire("a:x"), pool.acquire(undefined)];
  for (const call of together) await expect(call).rejects.toThrow("a is damaged");
  time = 29_999;
  await expect(pool.acquire("a")).rejects.toThrow("a is damaged");
  expect(log).toEqual([]);
  (await pool.acquire("b")).release(); // its memory is free, and the others go on
  time = 30_000;
  (await pool.acquire("a")).release();
  time = 30_001;
  (await pool.acquire("a")).release(); // a success wipes the failure out
  expect(log).toEqual(["open b", "close b", "open a"]);
});

it("refuses unknown ids, models beyond the limit and ids given twice", async () => {
  const pool = await create([], { memoryLimit: 99 });
  await expect(pool.acquire("d")).rejects.toMatchObject({
    code: "model",
    message: "model: want one of a:x, b:x, c:x, got d",
  });
  await expect(pool.acquire("a")).rejects.toMatchObject({
    code: "memory",
    message: "a:x: needs 100 bytes, the memory limit is 99",
  });
  await expect(create([], { models: ["a", "a"] })).rejects.toMatchObject({ code: "model" });
});

describe("adapters", () => {
  /** Beside `a`, as they are on its disk. */
  let beside: { name: string; bytes: number }[];
  beforeEach(() => {
    beside = [{ name: "one", bytes: 10 }];
  });
  const withAdapters = (log: string[], memoryLimit?: number) =>
    createModelPool(
      { ...opener(log), adapters: async (folder) => (folder === "a" ? beside : []) },
      {
        models: ["a", "b"],
        maxBatch: 1,
        memoryLimit,
        cacheBytes: undefined,
        idleUnload: undefined,
      },
    );

  it("are listed behind their model's levels, as they are now", async () => {
    const pool = await withAdapters([]);
    const listed = async () => (await pool.list()).map(({ id, memoryBytes }) => [id, memoryBytes]);
    const [a, b] = [
      ["a:x", 100],
      ["b:x", 100],
    ];
    expect(await listed()).toEqual([a, ["a:x+one", 110], b]);
    beside = [{ name: "other", bytes: 20 }];
    expect(await listed()).toEqual([a, ["a:x+other", 120], b]);
  });

  it("are asked of the one model that they are beside", async () => {
    const log: string[] = [];
    const pool = await withAdapters(log);
    const leases = [];
    for (const id of ["a:x", "a:x+one", "a+one"]) leases.push(await pool.acquire(id));
    expect(leases.map(({ adapter }) => adapter)).toEqual([undefined, "one", "one"]);
    expect(log).toEqual(["open a"]);
    await expect(pool.acquire("b+one")).rejects.toThrow(
      "model: want one of a:x, a:x+one, b:x, got b+one",
    );
  });

  it("count with what their model takes", async () => {
    const log: string[] = [];
    const pool = await withAdapters(log, 205);
    for (const id of ["a", "b", "a"]) (await pool.acquire(id)).release();
    expect(log).toEqual(["open a", "open b"]);
    (await pool.acquire("a+one")).release();
    expect(log).toEqual(["open a", "open b", "close b"]);
    await expect((await withAdapters([], 105)).acquire("a+one")).rejects.toThrow(
      "a:x: needs 110 bytes, the memory limit is 105",
    );
  });
});
