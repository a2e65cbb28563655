import { describe, expect, test } from "vitest";

import { runDecoder } from "./runDecoder.ts";
import { rankCandidates, scoreCandidates, scoringRows } from "./scoring.ts";
import { promptTokens } from "./testing/decodingInput.ts";
import { fakeLanguageModel, hashedLogits } from "./testing/fakeLanguageModel.ts";
import type { FakeLanguageModel } from "./testing/fakeLanguageModel.ts";

const run = async (
  candidates: readonly (readonly number[])[],
  model: FakeLanguageModel = fakeLanguageModel(),
) => {
  const sequence = model.create();
  const decoder = scoreCandidates(
    { model, sequence, prompt: { tokens: promptTokens } },
    candidates,
  );
  return { scores: await runDecoder(decoder, model), model, sequence };
};

/** A candidate's log-probabilities from their definition, without a cache. */
const naive = (candidate: readonly number[]) =>
  candidate.map((id, i) => {
    const logits = [...hashedLogits(11)([...promptTokens, ...candidate.slice(0, i)])];
    return logits[id]! - Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
  });

describe("scoreCandidates", () => {
  const candidates = Array.from({ length: 19 }, (_, i) =>
    Array.from({ length: 1 + (i % 5) }, (_unused, k) => (i * 3 + k * k) % 11),
  );

  test("gives every token's log-probability and their mean", async () => {
    const { scores } = await run(candidates);
    expect(scores).toHaveLength(candidates.length);
    for (const [i, candidate] of candidates.entries()) {
      const expected = naive(candidate);
      expect(scores[i]!.tokens).toEqual(
        candidate.map((id, k) => ({ id, logprob: expect.closeTo(expected[k]!, 10) })),
      );
      const mean = expected.reduce((sum, logprob) => sum + logprob, 0) / expected.length;
      expect(scores[i]!.meanLogprob).toBeCloseTo(mean, 10);
    }
  });

  test("gives alternatives where asked for", async () => {
    const model = fakeLanguageModel();
    const input = { model, sequence: model.create(), prompt: { tokens: promptTokens } };
    const [scored] = await runDecoder(scoreCandidates(input, [[3, 5]], 2), model);
    for (const { top } of scored!.tokens) {
      expect(top).toHaveLength(2);
      expect(top![0]!.logprob).toBeGreaterThanOrEqual(top![1]!.logprob);
    }
    const without = { ...input, sequence: model.create() };
    expect(
      (await runDecoder(scoreCandidates(without, [[3]]), model))[0]!.tokens[0],
    ).not.toHaveProperty("top");
  });

  test("runs the prompt once, candidates in bounded batches, and leaves the prompt", async () => {
    const { model, sequence } = await run(candidates);
    expect(model.batches[0]).toBe(1);
    expect(Math.max(...model.batches)).toBeLessThanOrEqual(scoringRows);
    expect(model.batches).toHaveLength(1 + Math.ceil(candidates.length / scoringRows));
    expect(model.live).toBe(1);
    expect(model.content(sequence)).toEqual(promptTokens);
  });

  test("scores long candidates in pieces", async () => {
    const long = Array.from({ length: 200 }, (_, i) => (i * 7) % 11);
    const { scores } = await run([long, [1]], fakeLanguageModel({ contextLength: 300 }));
    const expected = naive(long);
    scores[0]!.tokens.forEach(({ logprob }, i) => expect(logprob).toBeCloseTo(expected[i]!, 10));
  });

  test("refuses candidates without tokens and beyond the context, by number", async () => {
    await expect(run([[1], []])).rejects.toThrow("candidates[1]: want at least one token, got 0");
    const model = fakeLanguageModel({ contextLength: 6 });
    await expect(
      run(
        [
          [1, 2, 3, 4],
          [1, 2, 3, 4, 5],
        ],
        model,
      ),
    ).rejects.toThrow("candidates[1]: want at most 4 tokens in this context, got 5");
    expect(
      (await run([[1, 2, 3, 4]], fakeLanguageModel({ contextLength: 6 }))).scores,
    ).toHaveLength(1);
  });

  test("releases its sequences when the model fails", async () => {
    const model = fakeLanguageModel();
    const sequence = model.create();
    const decoder = scoreCandidates(
      { model, sequence, prompt: { tokens: promptTokens } },
      candidates,
    );
    const forward: FakeLanguageModel["forward"] = (rows) =>
      model.batches.length === 1 ? Promise.reject(new Error("gone")) : model.forward(rows);
    await expect(runDecoder(decoder, { forward })).rejects.toThrow("gone");
    expect(model.live).toBe(1);
  });
});

test("rankCandidates puts the most probable first and keeps the order of equal ones", () => {
  const scores = [-3, -1, -2, -1].map((meanLogprob) => ({ tokens: [], meanLogprob }));
  expect(rankCandidates(scores)).toEqual([1, 3, 2, 0]);
});
