import { describe, expect, it } from "vitest";

import type { Decoder, LanguageModel, Sequence } from "../decoding/sequence.ts";
import { TinyGptvError } from "@tinygptv/protocol";
import { createScheduler } from "./scheduler.ts";
import { fakeLanguageModel } from "./testing/fakeLanguageModel.ts";

const limits = { maxBatch: 4, prefillChunk: 8 };

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

  it("let running answers flow between the chunks of a long prompt", async () => {
    const model = fakeLanguageModel();
    const scheduler = createScheduler(model, limits);
    await Promise.all([
      scheduler.run(greedy(model, [1], 12)),
      scheduler.run(greedy(model, prompt(40), 1)),
    ]);
    const kinds = model.forwards.map((rows) => (rows[0]!.positions > 1 ? "prefill" : "decode"));
    expect(kinds.slice(0, 10)).toEqual(
      Array.from({ length: 5 }, () => ["decode", "prefill"]).flat(),
    );
  });

  it("hold several short inputs of one length, up to prefillChunk positions", async () => {
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
