import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, test } from "vitest";

import type { Engine, GenerateEvent, GenerateRequest, ModelInfo } from "@tinygptv/protocol";
import { createEngine } from "./supervisor.ts";
import type { EngineOptions } from "./supervisor.ts";

const childModule = new URL("testing/fakeChild.ts", import.meta.url);

const it = test.extend<{ start: (options?: Partial<EngineOptions>) => Engine }>({
  /** Starts an engine that ends with the test. */
  start: ({ onTestFinished }, use) =>
    use((options) => {
      const engine = createEngine({ models: ["fake=a,b"], childModule, ...options });
      onTestFinished(() => engine.close());
      return engine;
    }),
});

const ask = (prompt: string): GenerateRequest => ({ rounds: [{ prompt }] });

async function read(events: AsyncIterable<GenerateEvent>): Promise<string> {
  let text = "";
  for await (const event of events) if (event.type === "delta") text += event.text;
  return text;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Waits for what happens in another process. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

/** Starts a request and waits for its first text, so that it is known to run. */
async function startReading(engine: Engine, prompt: string, signal?: AbortSignal) {
  const events = engine.generate(ask(prompt), [], signal ? { signal } : {});
  const iterator = events[Symbol.asyncIterator]();
  await iterator.next();
  await iterator.next();
  return iterator;
}

describe("calls", () => {
  it("stream events in order and end with the whole answer", async ({ start }) => {
    const events: GenerateEvent[] = [];
    for await (const event of start().generate(ask("count 3"), [])) events.push(event);
    expect(events.map((event) => event.type)[0]).toBe("start");
    const end = events.at(-1);
    expect(end).toMatchObject({ type: "end", hypotheses: [{ text: "1 2 3 " }] });
    // The fake model says it took no time: all of it was waiting.
    expect(end?.type === "end" && end.timings.queue).toBeGreaterThan(0);
  });

  it("carry bytes both ways and answer for the model asked for", async ({ start }) => {
    const engine = start({ models: ["one=x", "two=y"] });
    expect((await engine.models()).map((model) => model.id)).toEqual(["one:x", "two:y"]);
    const { png } = await engine.preprocess(Uint8Array.of(0, 5), "display", { model: "two" });
    expect([...png]).toEqual([255, 250]);
    expect(engine.status().loadedModels).toEqual(["two:y"]);
    expect(await engine.tokenize("ab")).toEqual([
      { id: 97, text: "a" },
      { id: 98, text: "b" },
    ]);
    expect(await engine.detokenize([104, 105], { model: "two:y" })).toBe("hi");
  });

  it("about the same pictures at the same time bring them once", async ({ start }) => {
    const engine = start();
    const [one, other] = [Uint8Array.of(1), Uint8Array.of(2, 3)];
    const look = (...images: Uint8Array[]) => read(engine.generate(ask("pictures 50"), images));
    expect(
      await Promise.all([look(one), look(one, other), look(Uint8Array.of(1)), look(one, one)]),
    ).toEqual(["1:1", "1:1 2:2,3", "3:1", "1:1 1:1"]);
    // What nobody has any more is not kept.
    expect(await look(one)).toBe("4:1");
  });

  it("fail with the code, subject and message the model gave", async ({ start }) => {
    const engine = start();
    await expect(read(engine.generate(ask("refuse"), []))).rejects.toMatchObject({
      name: "TinyGptvError",
      code: "parameter",
      subject: "topK",
      message: "topK: want less, got more",
    });
    await expect(engine.tokenize("x", { model: "fake:c" })).rejects.toMatchObject({
      code: "model",
      message: "model: want one of fake:a, fake:b, got fake:c",
    });
  });

  it("fail alone where the pipeline has a defect", async ({ start }) => {
    const engine = start();
    const other = read(engine.generate(ask("count 40"), []));
    await expect(read(engine.generate(ask("throw"), []))).rejects.toMatchObject({
      code: "engine",
      message: "unexpected: x is undefined",
    });
    expect(await other).toHaveLength(111);
    expect(engine.status().restarts).toBe(0);
  });
});

it("passes on what is to run models, and says what has been loaded", async ({ start }) => {
  const loaded: ModelInfo[] = [];
  const engine = start({
    provider: "auto",
    precision: "float32",
    onLoaded: (model) => loaded.push(model),
  });
  await Promise.all([engine.tokenize("a"), engine.tokenize("b", { model: "fake:b" })]);
  await engine.tokenize("c");
  expect(loaded).toMatchObject([
    { id: "fake:a", execution: "auto float32" },
    { id: "fake:b", execution: "auto float32" },
  ]);
});

it("refuses options it cannot work with", ({ start }) => {
  for (const options of [{ models: [] }, { maxBatch: 0 }, { queueLimit: -1 }, { maxBatch: NaN }]) {
    expect(() => start(options)).toThrow(/^(models|maxBatch|queueLimit): want at least/);
  }
});

describe("the queue", () => {
  it("refuses one request too many at once, and runs the others in order", async ({ start }) => {
    const engine = start({ maxBatch: 2, queueLimit: 3 });
    const accepted = [1, 2, 3, 4, 5].map((n) => read(engine.generate(ask(`count ${n * 10}`), [])));
    expect(engine.status()).toMatchObject({ running: 2, queued: 3, queueLimit: 3 });
    await expect(read(engine.generate(ask("count 1"), []))).rejects.toMatchObject({ code: "busy" });
    await expect(engine.preprocess(new Uint8Array(1), "display")).rejects.toMatchObject({
      code: "busy",
    });
    expect(await engine.tokenize("small calls have places of their own")).toHaveLength(36);
    expect((await Promise.all(accepted)).map((text) => text.trim().split(" ").length)).toEqual([
      10, 20, 30, 40, 50,
    ]);
    expect(engine.status()).toMatchObject({ running: 0, queued: 0 });
  });

  it("forgets a request aborted while it waits, and frees the place of one that runs", async ({
    start,
  }) => {
    const engine = start({ maxBatch: 1 });
    const running = new AbortController();
    const waiting = new AbortController();
    const first = await startReading(engine, "count 100000", running.signal);
    const second = read(engine.generate(ask("count 1"), [], waiting));
    const third = read(engine.generate(ask("count 2"), []));
    waiting.abort();
    await expect(second).rejects.toMatchObject({ code: "aborted" });
    running.abort();
    await expect(first.next()).rejects.toMatchObject({ code: "aborted" });
    expect(await third).toBe("1 2 ");
  });

  it("frees the place of a reader that breaks out", async ({ start }) => {
    const engine = start({ maxBatch: 1 });
    for await (const event of engine.generate(ask("count 100000"), [])) {
      if (event.type === "delta") break;
    }
    expect(await read(engine.generate(ask("count 2"), []))).toBe("1 2 ");
  });

  it("lets a reader go that gives up while it waits for its turn", async ({ start }) => {
    const engine = start({ maxBatch: 1 });
    const first = await startReading(engine, "count 100000");
    const waiting = engine.generate(ask("count 1"), [])[Symbol.asyncIterator]();
    const next = waiting.next();
    await Promise.all([
      expect(next).rejects.toMatchObject({ code: "aborted" }),
      waiting.return?.(),
    ]);
    expect(engine.status()).toMatchObject({ running: 1, queued: 0 });
    await first.return?.();
  });

  it("aborts calls with one answer at once", async ({ start }) => {
    const engine = start();
    const controller = new AbortController();
    const request = { rounds: [{ prompt: "?" }], candidates: ["a"] };
    const score = engine.score(request, [], controller);
    await until(() => engine.status().running === 1);
    controller.abort();
    await expect(score).rejects.toMatchObject({ code: "aborted" });
  });
});

// Most of them wait for a time to pass.
describe.concurrent("a process that dies", () => {
  it("fails what is in flight; what waits and what comes runs in a new one", async ({ start }) => {
    const engine = start({ maxBatch: 2 });
    const pid = Number(await read(engine.generate(ask("pid"), [])));
    const inFlight = await startReading(engine, "count 100000");
    const crash = read(engine.generate(ask("crash"), []));
    const waiting = read(engine.generate(ask("count 2"), []));
    await expect(crash).rejects.toMatchObject({
      code: "engine",
      message: `engine process ${pid}: ended by SIGKILL`,
    });
    await expect(
      (async () => {
        while (!(await inFlight.next()).done);
      })(),
    ).rejects.toMatchObject({ code: "engine" });
    expect(await waiting).toBe("1 2 ");
    expect(Number(await read(engine.generate(ask("pid"), [])))).not.toBe(pid);
    expect(engine.status()).toMatchObject({ state: "ready", restarts: 1 });
  });

  it("is replaced when killed from outside, also when idle", async ({ start }) => {
    const engine = start();
    const pid = Number(await read(engine.generate(ask("pid"), [])));
    process.kill(pid, "SIGKILL");
    await until(() => engine.status().state === "restarting");
    expect(await read(engine.generate(ask("count 1"), []))).toBe("1 ");
  });

  it("is replaced when it has lost its device; what is in flight hears of it", async ({
    start,
  }) => {
    const engine = start();
    const pid = Number(await read(engine.generate(ask("pid"), [])));
    const inFlight = read(engine.generate(ask("count 100000"), []));
    const lost = "webgpu: the device failed: out of memory";
    await Promise.all([
      expect(read(engine.generate(ask("lose"), []))).rejects.toMatchObject({ message: lost }),
      expect(inFlight).rejects.toMatchObject({
        code: "engine",
        message: `engine process ${pid}: ${lost}`,
      }),
    ]);
    expect(Number(await read(engine.generate(ask("pid"), [])))).not.toBe(pid);
  });

  it("keeps counting over restarts", async ({ start }) => {
    const engine = start();
    await read(engine.generate(ask("count 7"), []));
    await expect(read(engine.generate(ask("crash"), []))).rejects.toMatchObject({ code: "engine" });
    await read(engine.generate(ask("count 4"), []));
    expect(engine.status().generatedTokens).toBe(11);
  });

  it("is replaced when its thread hangs", async ({ start }) => {
    const engine = start({ stallTimeout: 3000 });
    await expect(read(engine.generate(ask("block"), []))).rejects.toMatchObject({
      code: "engine",
      message: expect.stringContaining("was busy for 3000 ms"),
    });
    expect(await read(engine.generate(ask("count 1"), []))).toBe("1 ");
  });

  it("is not taken for hung while its thread computes", async ({ start }) => {
    const engine = start({ hangTimeout: 2000 });
    const pid = await read(engine.generate(ask("pid"), []));
    expect(await read(engine.generate(ask("busy 5000"), []))).toBe("done");
    expect(await read(engine.generate(ask("pid"), []))).toBe(pid);
  });

  it("is replaced when it is stopped as a whole; what is in flight hears of it", async ({
    start,
  }) => {
    const engine = start({ hangTimeout: 2000 });
    const pid = Number(await read(engine.generate(ask("pid"), [])));
    const inFlight = read(engine.generate(ask("count 100000"), []));
    process.kill(pid, "SIGSTOP");
    await expect(inFlight).rejects.toMatchObject({
      code: "engine",
      message: `engine process ${pid}: gave no sign of life for 2000 ms`,
    });
    expect(Number(await read(engine.generate(ask("pid"), [])))).not.toBe(pid);
    expect(isAlive(pid)).toBe(false);
  });

  it("says that it is stopped, and goes on when it is woken in time", async ({ start }) => {
    const engine = start();
    const pid = Number(await read(engine.generate(ask("pid"), [])));
    process.kill(pid, "SIGSTOP");
    const waiting = read(engine.generate(ask("count 2"), []));
    await until(() => engine.status().state === "unresponsive");
    process.kill(pid, "SIGCONT");
    expect(await waiting).toBe("1 2 ");
    await until(() => engine.status().state === "ready");
    expect(engine.status().restarts).toBe(0);
  }, 20_000);

  it("is replaced when it does not let go of a cancelled call", async ({ start }) => {
    const engine = start({ stallTimeout: 3000, maxBatch: 1 });
    const deaf = await startReading(engine, "deaf");
    await deaf.return?.();
    expect(await read(engine.generate(ask("count 1"), []))).toBe("1 ");
    expect(engine.status().restarts).toBe(1);
  });

  it("is left alone where it let go of what was cancelled", async ({ start }) => {
    const engine = start({ stallTimeout: 2000 });
    const cancelled = await startReading(engine, "count 100000");
    await cancelled.return?.();
    await sleep(2500);
    expect(engine.status().restarts).toBe(0);
  });

  it("says why it cannot start", async ({ start }) => {
    const engine = start({ models: ["missing"] });
    await expect(engine.models()).rejects.toMatchObject({
      code: "model",
      message: "missing: no manifest.json",
    });
  });

  it("is given up on after a few starts that fail without a word", async ({ start }) => {
    const engine = start({ models: ["unstartable"] });
    await expect(read(engine.generate(ask("pid"), []))).rejects.toMatchObject({
      code: "engine",
      message: expect.stringMatching(/engine process \d+: ended with exit code 3/),
    });
    expect(engine.status().restarts).toBe(2);
  });
});

describe("the end", () => {
  it("comes after what runs and waits is finished; nothing new is accepted", async ({ start }) => {
    const engine = start({ maxBatch: 1 });
    const accepted = [
      read(engine.generate(ask("count 30"), [])),
      read(engine.generate(ask("pid"), [])),
    ];
    const closed = engine.close();
    await expect(read(engine.generate(ask("count 1"), []))).rejects.toMatchObject({
      code: "engine",
      message: "engine: closed",
    });
    const [, pid] = await Promise.all(accepted);
    await closed;
    expect(engine.status().state).toBe("closed");
    expect(isAlive(Number(pid))).toBe(false);
  });

  it("of the supervisor ends the process, however it comes", async () => {
    const parent = fork(new URL("testing/orphaningParent.ts", import.meta.url));
    const [pid] = (await once(parent, "message")) as [number];
    parent.kill("SIGKILL");
    await until(() => !isAlive(pid));
    expect(isAlive(pid)).toBe(false);
  });
});
