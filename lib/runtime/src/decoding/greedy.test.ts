import { describe, expect, test } from "vitest";

import { TinyGptvError, resolveDecoding } from "@tinygptv/protocol";
import { decode } from "./decode.ts";
import type { DecodingEvent, DecodingInput } from "./decoder.ts";
import { promptLookup } from "./promptLookup.ts";
import { runDecoder } from "./runDecoder.ts";
import { tokenSequences } from "./stopping.ts";
import { beginTokenId, decodingInput, idsOf, promptTokens } from "./testing/decodingInput.ts";
import { fakeLanguageModel, hashedLogits } from "./testing/fakeLanguageModel.ts";
import type { LogitsOf } from "./testing/fakeLanguageModel.ts";

const run = async (
  params: object,
  overrides: Partial<DecodingInput> = {},
  model = fakeLanguageModel(),
) => {
  const input = decodingInput(model, overrides);
  const [answer] = await runDecoder(decode(input, resolveDecoding(params)), model);
  return { ...answer!, ids: idsOf(answer!), input, model };
};

/** Greedy search from its definition, without a cache. */
const naive = (
  count: number,
  logitsOf: LogitsOf = hashedLogits(11),
  change: (logits: Float32Array, history: number[]) => void = () => {},
) => {
  const history = [beginTokenId];
  for (let i = 0; i < count; i++) {
    const logits = logitsOf([...promptTokens, ...history.slice(1)]);
    change(logits, history);
    history.push(logits.indexOf(Math.max(...logits)));
  }
  return history.slice(1);
};

const collected = () => {
  const events: DecodingEvent[] = [];
  return { events, emit: (event: DecodingEvent) => void events.push(event) };
};

describe("greedy", () => {
  test("takes the most probable token of the whole history, to the token limit", async () => {
    const { ids, finishReason, model, input } = await run({ maxNewTokens: 20 });
    expect(ids).toEqual(naive(20));
    expect(finishReason).toBe("length");
    expect(model.content(input.sequence)).toEqual([...promptTokens, ...naive(19)]);
  });

  test("reads embeddings, and continues a cached prefix", async () => {
    const plain = naive(6);
    const embedded = await run(
      { maxNewTokens: 6 },
      { prompt: { embeds: Float32Array.from(promptTokens) } },
    );
    expect(embedded.ids).toEqual(plain);

    const model = fakeLanguageModel();
    const sequence = model.create();
    await model.forward([{ sequence, input: { tokens: [7, 3] }, logits: "last" }]);
    const cached = await run({ maxNewTokens: 6 }, { sequence, prompt: { tokens: [5] } }, model);
    expect(cached.ids).toEqual(plain);
  });

  test("ends at an end token and keeps it", async () => {
    const expected = naive(20);
    const end = expected[5]!;
    const { ids, finishReason } = await run({ maxNewTokens: 20 }, { endTokenIds: [end] });
    expect(ids).toEqual(expected.slice(0, expected.indexOf(end) + 1));
    expect(finishReason).toBe("stop");
  });

  test("an end token at the token limit is a stop", async () => {
    const expected = naive(4);
    const { finishReason } = await run(
      { maxNewTokens: expected.indexOf(expected[3]!) + 1 },
      { endTokenIds: [expected[3]!] },
    );
    expect(finishReason).toBe("stop");
  });

  test("ends at a sequence of tokens", async () => {
    const expected = naive(20);
    const pair = expected.slice(6, 8);
    const { ids, finishReason } = await run(
      { maxNewTokens: 20 },
      { isStopped: tokenSequences([[1, 1, 1, 1], pair]) },
    );
    expect(ids.slice(-2)).toEqual(pair);
    expect(ids).toEqual(expected.slice(0, ids.length));
    expect(finishReason).toBe("stop");
  });

  test("ends when the context is full: the last token takes no position", async () => {
    const model = fakeLanguageModel({ contextLength: 8 });
    const { ids, finishReason } = await run({ maxNewTokens: 20 }, {}, model);
    expect(ids).toEqual(naive(6));
    expect(finishReason).toBe("length");
  });

  test("processors see the begin token and the answer, never the prompt", async () => {
    const histories: number[][] = [];
    const expected = naive(12, hashedLogits(11), (logits, history) => {
      histories.push([...history]);
      for (const id of new Set(history)) logits[id]! *= logits[id]! < 0 ? 1.3 : 1 / 1.3;
      if (history.length < 6) logits[2] = -Infinity;
    });
    const { ids } = await run(
      { maxNewTokens: 12, repetitionPenalty: 1.3, minNewTokens: 5 },
      { endTokenIds: [2] },
    );
    const end = expected.indexOf(2);
    expect(ids).toEqual(end < 0 ? expected : expected.slice(0, end + 1));
    expect(histories[0]).toEqual([beginTokenId]);
  });

  test("bad words and biases change the choice", async () => {
    const [first] = naive(1);
    expect((await run({ maxNewTokens: 1 }, { badWordIds: [[first!]] })).ids).not.toEqual([first]);
    expect((await run({ maxNewTokens: 3, logitBias: { 4: 100 } })).ids).toEqual([4, 4, 4]);
    await expect(run({ logitBias: { 11: 1 } })).rejects.toThrow(
      "logitBias: want token ids below 11, got 11",
    );
  });

  test("says so when nothing is left to choose, or the model returns NaN", async () => {
    const all = Array.from({ length: 11 }, (_, id) => [id]);
    await expect(run({}, { badWordIds: all })).rejects.toMatchObject({ code: "parameter" });
    const broken = fakeLanguageModel({ logitsOf: () => new Float32Array(11).fill(Number.NaN) });
    await expect(run({}, {}, broken)).rejects.toMatchObject({
      code: "model",
      message: "logits: want numbers, got NaN",
    });
  });
});

describe("log-probabilities", () => {
  test("are those of the model, whatever processors do", async () => {
    const { events, emit } = collected();
    const { tokens } = await run(
      { maxNewTokens: 5, topLogprobs: 3, repetitionPenalty: 5, logitBias: { 1: 50 } },
      { emit },
    );
    const history = [...promptTokens];
    for (const { id, logprob, top } of tokens) {
      const logits = [...hashedLogits(11)(history)];
      const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
      expect(logprob).toBeCloseTo(logits[id]! - total, 10);
      const order = logits.map((_, i) => i).toSorted((a, b) => logits[b]! - logits[a]!);
      expect(top!.map((entry) => entry.id)).toEqual(order.slice(0, 3));
      expect(top![0]!.logprob).toBeCloseTo(Math.max(...logits) - total, 10);
      history.push(id);
    }
    expect(events).toEqual(tokens.map((token) => ({ type: "token", token })));
  });

  test("are left out where not asked for", async () => {
    const { tokens } = await run({ maxNewTokens: 2 });
    expect(tokens).toEqual(naive(2).map((id) => ({ id })));
  });
});

describe("answerPrefix", () => {
  test("is the start of the answer, with its log-probabilities", async () => {
    const { events, emit } = collected();
    const free = await run({ maxNewTokens: 12, logprobs: true });
    const answerPrefix = free.ids.slice(0, 5);
    const forced = await run({ maxNewTokens: 12, logprobs: true }, { answerPrefix, emit });
    expect(forced.tokens).toEqual(free.tokens);
    expect(events).toHaveLength(12);
  });

  test("turns the answer where it is not what the model would say", async () => {
    const answerPrefix = [(naive(1)[0]! + 1) % 11, 4];
    const { ids, model, input } = await run({ maxNewTokens: 6 }, { answerPrefix });
    const expected = [...answerPrefix];
    while (expected.length < 6) {
      const logits = hashedLogits(11)([...promptTokens, ...expected]);
      expected.push(logits.indexOf(Math.max(...logits)));
    }
    expect(ids).toEqual(expected);
    expect(model.content(input.sequence)).toEqual([...promptTokens, ...expected.slice(0, -1)]);
  });

  test("may end the answer itself", async () => {
    const stopped = await run({}, { answerPrefix: [4, 9], endTokenIds: [9] });
    expect(stopped).toMatchObject({ ids: [4, 9], finishReason: "stop" });
    const full = await run({ maxNewTokens: 2 }, { answerPrefix: [4, 9] });
    expect(full).toMatchObject({ ids: [4, 9], finishReason: "length" });
  });

  test("is fed in pieces when it is long, and refused when it is too long", async () => {
    const model = fakeLanguageModel({ contextLength: 400 });
    const answerPrefix = Array.from({ length: 300 }, (_, i) => i % 11);
    const { tokens } = await run({ maxNewTokens: 302, logprobs: true }, { answerPrefix }, model);
    expect(tokens.map(({ id }) => id).slice(0, 300)).toEqual(answerPrefix);
    const logits = [...hashedLogits(11)([...promptTokens, ...answerPrefix.slice(0, 200)])];
    const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
    expect(tokens[200]!.logprob).toBeCloseTo(logits[200 % 11]! - total, 10);
    await expect(run({ maxNewTokens: 2 }, { answerPrefix: [1, 2, 3] })).rejects.toThrow(
      "answerPrefix: want at most 2 tokens, got 3",
    );
  });
});

/** A model that counts round in a circle with a hiccup now and then, so that looking back pays. */
const circling: LogitsOf = (history) => {
  const logits = new Float32Array(11);
  logits[(history.at(-1)! + (history.length % 17 === 0 ? 2 : 1)) % 5] = 1;
  return logits;
};

describe("drafts", () => {
  test.each([1, 2, 3, 8])(
    "of %i tokens change the number of steps, never the tokens",
    async (draftLength) => {
      const params = { maxNewTokens: 60, noRepeatNgramSize: 9, logprobs: true };
      const plain = await run(
        params,
        {},
        fakeLanguageModel({ contextLength: 90, logitsOf: circling }),
      );
      const drafted = await run(
        params,
        { draft: promptLookup(promptTokens, { draftLength }) },
        fakeLanguageModel({ contextLength: 90, logitsOf: circling }),
      );
      expect(drafted.tokens).toEqual(plain.tokens);
      expect(drafted.model.batches.length).toBeLessThan(plain.model.batches.length);
      expect(drafted.model.content(drafted.input.sequence)).toEqual(
        plain.model.content(plain.input.sequence),
      );
    },
  );

  test.each([
    ["end tokens", { maxNewTokens: 40 }, { endTokenIds: [3] }, 90],
    ["the token limit", { maxNewTokens: 13 }, {}, 90],
    ["the end of the context", { maxNewTokens: 60 }, {}, 20],
  ])("hold at %s", async (_, params, overrides, contextLength) => {
    const model = () => fakeLanguageModel({ contextLength, logitsOf: circling });
    const draft = (tokens: readonly number[]) =>
      [1, 2, 3, 4, 5, 6, 7].map((k) => (tokens.at(-1)! + k) % 5);
    const plain = await run(params, overrides, model());
    const drafted = await run(params, { ...overrides, draft }, model());
    expect(drafted).toMatchObject({ ids: plain.ids, finishReason: plain.finishReason });
    expect(drafted.model.content(drafted.input.sequence)).toEqual(
      plain.model.content(plain.input.sequence),
    );
  });

  test("that are always wrong do no harm", async () => {
    const { ids } = await run(
      { maxNewTokens: 20 },
      { draft: (tokens) => [tokens.length % 11, 0, 0] },
    );
    expect(ids).toEqual(naive(20));
  });
});

describe("ending from outside", () => {
  test("an abort between steps leaves the caller's sequence and nothing else", async () => {
    const model = fakeLanguageModel();
    const controller = new AbortController();
    const input = decodingInput(model, {
      emit: () => {
        if (model.batches.length === 4) controller.abort();
      },
    });
    const decoder = decode(input, resolveDecoding({}));
    await expect(runDecoder(decoder, model, controller.signal)).rejects.toMatchObject({
      code: "aborted",
    });
    expect(model.batches).toHaveLength(4);
    expect(model.live).toBe(1);
  });

  test("an error of the model reaches the caller", async () => {
    const model = fakeLanguageModel({
      logitsOf: (history) => {
        if (history.length === 6) throw new TinyGptvError("engine", "gone");
        return hashedLogits(11)(history);
      },
    });
    const decoder = decode(decodingInput(model), resolveDecoding({}));
    await expect(runDecoder(decoder, model)).rejects.toThrow("gone");
    expect(model.live).toBe(1);
  });
});
