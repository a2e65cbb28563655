import { describe, expect, it } from "vitest";

import type { Decoder, LanguageModel, Sequence } from "../decoding/sequence.ts";
import { TinyGptvError } from "@tinygptv/protocol";
import { createScheduler } from "./scheduler.ts";
import { fakeLanguageModel } from "./testing/fakeLanguageModel.ts";

const limits = { maxBatch: 4, chunk: 8 };

function argMax(logits: Float32Array): number {
  return logits.indexOf(Math.max(...logits));
}

/** A greedy decoder in a few lines: prompt, then one token a step; `beams` copies of the text run side by side. */
function* greedy(
  model: LanguageModel,
  prompt: readonly number[],
  steps: number,
  options: { beams?: number; onToken?: (token: number) => void } = {},
): Decoder<number[]> {
  const sequences: Sequence[] = [model.create()];
  const tokens: number[] = [];
  try {
    let logits = yield [{ sequence: sequences[0]!, input: { tokens: prompt }, logits: "last" }];
    while (sequences.length < (options.beams ?? 1)) sequences.push(model.fork(sequences[0]!));
    let next = sequences.map(() => argMax(logits[0]!));
    for (let step = 0; step < steps; step++) {
      tokens.push(...next);
      options.onToken?.(next[0]!);
      logits = yield sequences.map((sequence, i) => ({
        sequence,
        input: { tokens: [next[i]!] },
        logits: "last" as const,
      }));
      next = logits.map(argMax);
    }
    return tokens;
  } finally {
    for (const sequence of sequences) model.release(sequence);
  }
}

const prompt = (length: number, seed = 1) => Array.from({ length }, (_, i) => (i * 7 + seed) % 32);

/** What the decoder returns when it has the model to itself and nothing is cut. */
async function alone(start: (model: LanguageModel) => Decoder<unknown>): Promise<unknown> {
  const model = fakeLanguageModel();
  const decoder = start(model);
  let step = decoder.next([]);
  while (!step.done) step = decoder.next(await model.forward(step.value));
  return step.value;
}

describe("results", () => {
  it("equal those of running alone, whatever else is in the batch", async () => {
    const starts = [3, 1, 20, 9, 8, 17, 2, 30].map(
      (length, seed) => (model: LanguageModel) =>
        greedy(model, prompt(length, seed), 5 + seed, { beams: 1 + (seed % 3) }),
    );
    const model = fakeLanguageModel();
    const scheduler = createScheduler(model, limits);
    const together = await Promise.all(
      starts.map((start, i) => scheduler.run(start(model), { rows: 1 + (i % 3) })),
    );
    expect(together).toEqual(await Promise.all(starts.map(alone)));
    expect(model.open.size).toBe(0);
    expect(scheduler.gauges()).toEqual({ running: 0, queued: 0, batchSize: 0 });
  });

  it("are whole where logits are asked for at every position of a cut input", async () => {
    const embeds = Float32Array.from({ length: 2 * 21 }, (_, i) => Math.fround(i / 8));
    function* score(model: LanguageModel): Decoder<Float32Array> {
      const sequence = model.create();
      const [logits] = yield [{ sequence, input: { embeds }, logits: "all" }];
      return logits!;
    }
    const model = fakeLanguageModel();
    const logits = await createScheduler(model, limits).run(score(model));
    expect(logits).toEqual(await alone(score));
    expect(logits.length).toBe(21 * model.vocabularySize);
    expect(model.forwards.flat().map((row) => row.positions)).toEqual([8, 8, 5]);
  });
});

describe("batches", () => {
  it("put single positions together and never hold more than maxBatch rows", async () => {
    const model = fakeLanguageModel();
    const scheduler = createScheduler(model, limits);
    await Promise.all([1, 2, 3, 4, 5, 6].map((seed) => scheduler.run(greedy(model, [seed], 6))));
    expect(Math.max(...model.forwards.map((rows) => rows.length))).toBe(4);
    expect(model.forwards.length).toBe(7 * 2); // 7 steps for the first four, 7 for the other two
  });

  it("cut long inputs, asking for logits at the end only", async () => {
    const model = fakeLanguageModel();
    await createScheduler(model, limits).run(greedy(model, prompt(20), 0));
    expect(model.forwards.flat()).toMatchObject([
      { positions: 8, logits: "none" },
      { positions: 8, logits: "none" },
      { positions: 4, logits: "last" },
    ]);
  });

  it("hold several short inputs of one length, up to a chunk's positions", async () => {
    const model = fakeLanguageModel();
    const scheduler = createScheduler(model, limits);
    await Promise.all([1, 2, 3].map((seed) => scheduler.run(greedy(model, prompt(4, seed), 0))));
    expect(model.forwards.map((rows) => rows.length)).toEqual([2, 1]);
  });

  it("admit by declared rows and run a decoder larger than maxBatch alone, in parts", async () => {
    const model = fakeLanguageModel();
    const scheduler = createScheduler(model, limits);
    const small = scheduler.run(greedy(model, [1], 3));
    const large = scheduler.run(greedy(model, [2], 2, { beams: 6 }), { rows: 6 });
    await small;
    expect(await large).toEqual(await alone((other) => greedy(other, [2], 2, { beams: 6 })));
    const rows = model.forwards.map((batch) => batch.length);
    expect(rows).toEqual([1, 1, 1, 1, 1, 4, 2, 4, 2]);
  });
});

describe("leaving early", () => {
  it("stops an aborted decoder within one forward and releases what it holds", async () => {
    const controller = new AbortController();
    const model = fakeLanguageModel();
    const scheduler = createScheduler(model, limits);
    const other = scheduler.run(greedy(model, [1], 9));
    let forwardsAtAbort = 0;
    const aborted = scheduler.run(
      greedy(model, [2], 100, {
        onToken: () => {
          if (model.forwards.length === 4) {
            forwardsAtAbort = model.forwards.length;
            controller.abort(); // from inside its own step: it cannot be closed at once
          }
        },
      }),
      { signal: controller.signal },
    );
    await expect(aborted).rejects.toMatchObject({ code: "aborted" });
    expect(model.forwards.length).toBe(forwardsAtAbort);
    expect(model.open.size).toBe(1);
    expect(await other).toEqual(await alone((again) => greedy(again, [1], 9)));
  });

  it("waits for the forward under way before it closes an aborted decoder", async () => {
    const controller = new AbortController();
    const openDuringForward: number[] = [];
    const model = fakeLanguageModel({
      onForward: async () => {
        if (model.forwards.length === 3) controller.abort();
        await Promise.resolve();
        openDuringForward.push(model.open.size);
      },
    });
    const run = createScheduler(model, limits).run(greedy(model, [2], 100), controller);
    await expect(run).rejects.toMatchObject({ code: "aborted" });
    expect(openDuringForward).toEqual([1, 1, 1]);
    expect(model.open.size).toBe(0);
  });

  it("stops a prefill between two chunks", async () => {
    const controller = new AbortController();
    const model = fakeLanguageModel({
      onForward: () => {
        if (model.forwards.length === 2) controller.abort();
      },
    });
    const run = createScheduler(model, limits).run(greedy(model, prompt(800), 1), controller);
    await expect(run).rejects.toMatchObject({ code: "aborted" });
    expect(model.forwards.length).toBe(2);
  });

  it("never starts a decoder aborted while it waits, or before", async () => {
    const controller = new AbortController();
    const model = fakeLanguageModel();
    const scheduler = createScheduler(model, { ...limits, maxBatch: 1 });
    const first = scheduler.run(greedy(model, [1], 3));
    const second = scheduler.run(greedy(model, [2], 3), controller);
    controller.abort();
    await expect(second).rejects.toMatchObject({ code: "aborted" });
    await expect(scheduler.run(greedy(model, [3], 3), controller)).rejects.toMatchObject({
      code: "aborted",
    });
    await first;
    expect(new Set(model.forwards.flat().map((row) => row.sequence)).size).toBe(1);
  });

  it("passes on what a decoder throws, and nobody else notices", async () => {
    const model = fakeLanguageModel();
    const scheduler = createScheduler(model, limits);
    const failing = greedy(model, [2], 9, {
      onToken: () => {
        throw new TinyGptvError("parameter", "bad");
      },
    });
    const other = scheduler.run(greedy(model, [1], 5));
    await expect(scheduler.run(failing)).rejects.toMatchObject({ code: "parameter" });
    expect(await other).toEqual(await alone((again) => greedy(again, [1], 5)));
    expect(model.open.size).toBe(0);
  });
});

describe("bad rows and failing forwards", () => {
  it.each([
    [
      "an input beyond the context",
      prompt(51),
      "context",
      "context: want at most 50 positions, got 51",
    ],
    ["a token outside the vocabulary", [1, 32], "prompt", "token: want 0 to 31, got 32"],
    ["an empty input", [], "prompt", "input: want at least one position, got none"],
  ])("refuse %s before anything runs, for that decoder only", async (_, input, code, message) => {
    const model = fakeLanguageModel({ contextLength: 50 });
    const scheduler = createScheduler(model, limits);
    const other = scheduler.run(greedy(model, [1], 5));
    const refused = scheduler.run(greedy(model, input, 5));
    await expect(refused).rejects.toMatchObject({ code, message });
    expect(await other).toEqual(await alone((again) => greedy(again, [1], 5)));
    expect(model.forwards.flat().every((row) => row.positions === 1)).toBe(true);
    expect(model.open.size).toBe(0);
  });

  it("of logits that are no numbers fail the decoder that they are of", async () => {
    const model = fakeLanguageModel();
    const { forward } = model;
    const broken: LanguageModel = {
      ...model,
      async forward(rows) {
        const logits = await forward(rows);
        return logits.map((row, i) => (i === 0 && rows.length > 1 ? row.fill(NaN) : row));
      },
    };
    const scheduler = createScheduler(broken, limits);
    const first = scheduler.run(greedy(broken, [1], 3));
    const other = scheduler.run(greedy(broken, [2], 3));
    await expect(first).rejects.toMatchObject({
      code: "engine",
      message: expect.stringContaining("logits: want numbers"),
    });
    expect(await other).toEqual(await alone((again) => greedy(again, [2], 3)));
    expect(model.open.size).toBe(0);
  });

  it("fail exactly the decoders in that forward", async () => {
    const model = fakeLanguageModel({
      onForward: (rows) => {
        if (rows.length === 2) throw new TinyGptvError("engine", "out of memory");
      },
    });
    const scheduler = createScheduler(model, { ...limits, maxBatch: 2 });
    const results = await Promise.allSettled(
      [1, 2, 3].map((seed) => scheduler.run(greedy(model, [seed], 3))),
    );
    expect(results.map((result) => result.status)).toEqual(["rejected", "rejected", "fulfilled"]);
    expect(model.open.size).toBe(0);
  });
});

describe("clients", () => {
  /** A decoder of one token a step; notes the forward each token came from. */
  function* counting(model: LanguageModel, steps: number, onToken: () => void): Decoder<void> {
    const sequence = model.create();
    try {
      for (let step = 0; step < steps; step++) {
        yield [{ sequence, input: { tokens: [1] }, logits: "last" }];
        onToken();
      }
    } finally {
      model.release(sequence);
    }
  }

  it("who has nothing yet is in the next forward, and in every one, however much another has", async () => {
    const model = fakeLanguageModel();
    const scheduler = createScheduler(model, limits);
    const many = Array.from({ length: 12 }, () =>
      scheduler.run(
        counting(model, 30, () => {}),
        { client: "many" },
      ),
    );
    while (model.forwards.length < 3) await new Promise(setImmediate);
    const before = model.forwards.length;
    await scheduler.run(
      counting(model, 5, () => {}),
      { client: "one" },
    );
    expect(model.forwards.length - before).toBeLessThanOrEqual(7);
    await Promise.all(many);
    expect(model.forwards.every((rows) => rows.length <= limits.maxBatch)).toBe(true);
  });

  it("long prompts of one do not stand before another's", async () => {
    const model = fakeLanguageModel();
    const scheduler = createScheduler(model, limits);
    const many = Array.from({ length: 4 }, (_, seed) =>
      scheduler.run(greedy(model, prompt(80, seed), 2), { client: "many" }),
    );
    const one = scheduler.run(greedy(model, prompt(16), 2), { client: "one" });
    await one;
    const forwards = model.forwards.length; // of 40 chunks that the others need alone
    expect(forwards).toBeLessThan(12);
    await Promise.all(many);
  });

  it("whose own code takes long pauses as long, while others have work", async () => {
    let time = 0;
    const model = fakeLanguageModel({ onForward: () => void (time += 2) });
    const scheduler = createScheduler(model, limits, () => time);
    const slow = Array.from({ length: 4 }, () =>
      scheduler.run(
        counting(model, 5, () => (time += 60)),
        { client: "slow" },
      ),
    );
    const ended = scheduler
      .run(
        counting(model, 20, () => {}),
        { client: "quick" },
      )
      .then(() => time);
    // Alone it takes 40; every pause of the other lets 30 of its tokens through.
    expect(await ended).toBeLessThan(40 + 5 * 60);
    await Promise.all(slow);
    expect(time).toBeGreaterThanOrEqual(4 * 5 * 60);
  });
});

/**
 * A model whose passes take time by a formula, as the full model's do: weights
 * are read once a pass, positions are computed, and each looks back at all before it.
 */
function timedModel(cost: { pass: number; position: number; look: number }) {
  const clock = { time: 0 };
  /** Milliseconds and positions of every forward over inputs. */
  const chunks: { milliseconds: number; positions: number; past: number }[] = [];
  const model = fakeLanguageModel({
    contextLength: 5000,
    onForward: (rows) => {
      const past = rows[0]!.sequence.length;
      const positions = model.forwards.at(-1)!.reduce((sum, row) => sum + row.positions, 0);
      const milliseconds = cost.pass + positions * (cost.position + cost.look * past);
      clock.time += milliseconds;
      if (positions > rows.length) chunks.push({ milliseconds, positions, past });
    },
  });
  return { model, clock, chunks, now: () => clock.time };
}

const fullModel = { pass: 45, position: 7, look: 0.005 };

describe("time", () => {
  /** Decodes `steps` tokens after a short prompt; notes when each came. */
  function short(
    { model, clock }: ReturnType<typeof timedModel>,
    steps: number,
    length = 2,
  ): { decoder: Decoder<number[]>; times: number[] } {
    const times: number[] = [];
    const onToken = () => void times.push(clock.time);
    return { decoder: greedy(model, prompt(length, 5), steps, { onToken }), times };
  }
  const gaps = (times: readonly number[]) => times.slice(1).map((time, i) => time - times[i]!);

  it("inputs are cut at the same positions, alone and whatever runs beside", async () => {
    const cuts = async (start: number, besides: number) => {
      const timed = timedModel(fullModel);
      const scheduler = createScheduler(timed.model, { maxBatch: 4 }, timed.now);
      const others = Array.from({ length: besides }, (_, i) =>
        scheduler.run(greedy(timed.model, prompt(20 + 13 * i, i), 30)),
      );
      const sequence = timed.model.create();
      function* decoder(): Decoder<void> {
        if (start > 0) yield [{ sequence, input: { tokens: prompt(start) }, logits: "none" }];
        const before = timed.model.forwards.length;
        yield [{ sequence, input: { tokens: prompt(200 - start) }, logits: "last" }];
        seen = timed.model.forwards
          .slice(before)
          .flat()
          .filter((row) => row.sequence === sequence.id)
          .map((row) => row.positions);
      }
      let seen: number[] = [];
      await scheduler.run(decoder());
      await Promise.all(others);
      return seen;
    };
    for (const besides of [0, 3, 7]) {
      expect(await cuts(0, besides)).toEqual([32, 32, 32, 32, 32, 32, 8]);
      // Behind what is known of it, the rest is cut where it would have been.
      expect(await cuts(64, besides)).toEqual([32, 32, 32, 32, 8]);
      expect(await cuts(70, besides)).toEqual([26, 32, 32, 32, 8]);
    }
  });

  it("a long prompt leaves those who decode half of it, and no token waits for more than a chunk", async () => {
    const timed = timedModel(fullModel);
    const scheduler = createScheduler(timed.model, { maxBatch: 4 }, timed.now);
    const { decoder, times } = short(timed, 200);
    const done = scheduler.run(decoder, { client: "short" });
    while (times.length < 20) await new Promise(setImmediate);
    const before = gaps(times.slice(0, 20));
    const long = scheduler.run(greedy(timed.model, prompt(1879), 1), { client: "long" });
    await done;
    const beside = gaps(times.slice(22));
    const longest = Math.max(...timed.chunks.map(({ milliseconds }) => milliseconds));
    expect(Math.max(...beside)).toBeLessThan(longest + 2 * Math.max(...before));
    const mean = beside.reduce((sum, gap) => sum + gap, 0) / beside.length;
    expect(mean).toBeLessThan(2.5 * Math.max(...before));
    await long;
  });

  it.each(["another", "long"])(
    "a short prompt of %s client is not behind a long one",
    async (client) => {
      const timed = timedModel(fullModel);
      const scheduler = createScheduler(timed.model, { maxBatch: 4 }, timed.now);
      const long = [1, 2].map((seed) =>
        scheduler.run(greedy(timed.model, prompt(1879, seed), 1), { client: "long" }),
      );
      while (timed.chunks.length < 10) await new Promise(setImmediate);
      const { decoder, times } = short(timed, 1, 60);
      const begin = timed.clock.time;
      await scheduler.run(decoder, { client });
      const byItself = 45 + 60 * 7;
      expect(times[0]! - begin).toBeLessThan(byItself + 2000);
      await Promise.all(long);
    },
  );

  it("short prompts without end do not keep a long one from running", async () => {
    const timed = timedModel(fullModel);
    const scheduler = createScheduler(timed.model, { maxBatch: 4 }, timed.now);
    const run = (length: number, seed: number) =>
      scheduler.run(greedy(timed.model, prompt(length, seed), 0));
    const ended = run(600, 1).then(() => timed.clock.time);
    async function stream(seed: number): Promise<void> {
      for (let i = 0; i < 60; i++) await run(30, seed);
    }
    await Promise.all([1, 2, 3].map(stream));
    expect(timed.clock.time).toBeGreaterThan(50_000);
    expect(await ended).toBeLessThan(25_000); // alone it takes 6000
  });

  it("a prompt cancelled in the middle stops after the chunk that runs", async () => {
    const timed = timedModel(fullModel);
    const scheduler = createScheduler(timed.model, { maxBatch: 4 }, timed.now);
    const beside = scheduler.run(short(timed, 400).decoder);
    const controller = new AbortController();
    const long = scheduler.run(greedy(timed.model, prompt(1879), 1), controller);
    long.catch(() => {});
    while (timed.chunks.length < 20) await new Promise(setImmediate);
    const begin = timed.clock.time;
    controller.abort();
    await expect(long).rejects.toMatchObject({ code: "aborted" });
    expect(timed.clock.time - begin).toBeLessThan(
      Math.max(...timed.chunks.map(({ milliseconds }) => milliseconds)) + 1,
    );
    await beside;
  });
});

describe("memory", () => {
  /** Runs decoders that may each come to hold so much; notes how much of it is promised. */
  function sharing(cacheBytes: number) {
    const model = fakeLanguageModel();
    const promised: number[] = [];
    const onReserve = (bytes: number) => void promised.push(bytes);
    const scheduler = createScheduler(model, { ...limits, cacheBytes, onReserve });
    const run = (bytes: number, steps: number, client = "") =>
      scheduler.run(greedy(model, prompt(3), steps), { bytes, client });
    return { model, promised, scheduler, run };
  }

  it("is never promised twice, and who does not fit waits for who leaves", async () => {
    const { model, promised, run } = sharing(100);
    const ended: string[] = [];
    const note = (name: string) => () => void ended.push(name);
    await Promise.all([
      run(60, 9).then(note("first")),
      run(60, 2).then(note("second")),
      run(40, 1).then(note("third")),
    ]);
    expect(Math.max(...promised)).toBe(100);
    expect(promised.at(-1)).toBe(0);
    expect(ended[0]).toBe("first"); // the third, which would fit, does not overtake the second
    expect(model.open.size).toBe(0);
  });

  it("is not lent beyond what there is to a client who has nothing yet", async () => {
    const { promised, run } = sharing(100);
    await Promise.all([run(100, 5, "one"), run(100, 5, "other"), run(50, 5, "third")]);
    expect(Math.max(...promised)).toBe(100);
  });

  it("that there will never be is refused at once, with the figures", async () => {
    const { model, scheduler, run } = sharing(100e6);
    await expect(run(101e6, 1)).rejects.toMatchObject({
      code: "context",
      message: expect.stringMatching(/want at most 100 MB, got 101 MB/),
    });
    expect(model.forwards).toEqual([]);
    expect(scheduler.gauges().running).toBe(0);
  });

  it("comes back from those who are cancelled and those who fail", async () => {
    const { model, promised, scheduler, run } = sharing(100);
    const controller = new AbortController();
    const cancelled = scheduler.run(greedy(model, prompt(3), 50), {
      bytes: 100,
      signal: controller.signal,
    });
    const failing = scheduler.run(greedy(model, [99], 1), { bytes: 100 });
    const last = run(100, 2);
    while (model.forwards.length < 3) await new Promise(setImmediate);
    controller.abort();
    await expect(cancelled).rejects.toMatchObject({ code: "aborted" });
    await expect(failing).rejects.toMatchObject({ code: "prompt" });
    await last;
    expect(promised.at(-1)).toBe(0);
  });
});
