import { describe, expect, test } from "vitest";

import { decode } from "./decode.ts";
import type { DecodingEvent, DecodingInput } from "./decoder.ts";
import { resolveDecoding } from "@tinygptv/protocol";
import type { BeamDecoding } from "@tinygptv/protocol";
import { runDecoder } from "./runDecoder.ts";
import { beginTokenId, decodingInput, idsOf, promptTokens } from "./testing/decodingInput.ts";
import { fakeLanguageModel, hashedLogits } from "./testing/fakeLanguageModel.ts";
import type { FakeLanguageModel } from "./testing/fakeLanguageModel.ts";

const run = async (
  params: object,
  overrides: Partial<DecodingInput> = {},
  model: FakeLanguageModel = fakeLanguageModel(),
) => {
  const input = decodingInput(model, overrides);
  const decoding = resolveDecoding({ method: "beam", ...params }) as BeamDecoding;
  const answers = await runDecoder(decode(input, decoding), model);
  return { answers, decoding, input, model };
};

/** Log-probabilities after a history, in float64 and without a cache. */
const logprobsAfter = (history: readonly number[], vocabularySize: number) => {
  const logits = [...hashedLogits(vocabularySize)([...promptTokens, ...history])];
  const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
  return logits.map((logit) => logit - total);
};

const sumOf = (tokens: readonly number[], vocabularySize: number) =>
  tokens.reduce((sum, id, i) => sum + logprobsAfter(tokens.slice(0, i), vocabularySize)[id]!, 0);

interface Open {
  tokens: number[];
  sum: number;
}

/** Beam search after its description, on whole histories; no cache, no float32. */
const naive = (decoding: BeamDecoding, ends: number[], vocabularySize = 11) => {
  const { numBeams, lengthPenalty, earlyStopping, maxNewTokens, minNewTokens } = decoding;
  const normalised = ({ tokens, sum }: Open) => ({
    tokens,
    score: sum / tokens.length ** lengthPenalty,
  });
  let finished: { tokens: number[]; score: number }[] = [];
  const keep = (open: Open) => {
    finished = [...finished, normalised(open)]
      .toSorted((a, b) => b.score - a.score)
      .slice(0, numBeams);
  };
  let beams: Open[] = [{ tokens: [], sum: 0 }];
  for (let length = 1; length <= maxNewTokens; length++) {
    const all = beams.flatMap(({ tokens, sum }) => {
      const scores = logprobsAfter(tokens, vocabularySize);
      for (const id of new Set([beginTokenId, ...tokens]))
        scores[id]! *= decoding.repetitionPenalty;
      if (tokens.length < minNewTokens) for (const id of ends) scores[id] = -Infinity;
      return scores.map((score, id) => ({ tokens: [...tokens, id], sum: sum + score }));
    });
    const best = all
      .filter(({ sum }) => sum > -Infinity)
      .toSorted((a, b) => b.sum - a.sum)
      .slice(0, Math.max(2, 1 + ends.length) * numBeams);
    const isEnd = ({ tokens }: Open) => ends.includes(tokens.at(-1)!);
    beams = best.filter((open) => !isEnd(open)).slice(0, numBeams);
    // Candidates behind the last one that goes on are not looked at.
    const seen = beams.length === numBeams ? best.indexOf(beams.at(-1)!) : best.length;
    best.slice(0, Math.min(seen, numBeams)).filter(isEnd).forEach(keep);
    if (finished.length === numBeams) {
      const horizon = earlyStopping === "never" && lengthPenalty > 0 ? maxNewTokens : length;
      if (
        earlyStopping === true ||
        finished.at(-1)!.score >= best[0]!.sum / horizon ** lengthPenalty
      ) {
        return finished;
      }
    }
  }
  beams.forEach(keep);
  return finished;
};

/** What answers have to look like: these tokens, these scores within a few float32 roundings. */
const like = (expected: ReturnType<typeof naive>) =>
  expected.map(({ tokens, score }) => ({
    tokens: tokens.map((id) => ({ id })),
    score: expect.closeTo(score, 5 - Math.ceil(Math.log10(1 + Math.abs(score)))),
  }));

describe("beam search", () => {
  const cases = [2, 3, 5].flatMap((numBeams) =>
    [-1, 0, 1, 2].flatMap((lengthPenalty) =>
      ([true, false, "never"] as const).flatMap((earlyStopping) =>
        [[], [4], [4, 8, 1]].map((ends) => ({ numBeams, lengthPenalty, earlyStopping, ends })),
      ),
    ),
  );

  test.each(cases)("equals search on whole histories: %o", async ({ ends, ...params }) => {
    const { answers, decoding, model } = await run(
      { ...params, maxNewTokens: 14, numReturnSequences: params.numBeams },
      { endTokenIds: ends },
    );
    expect(answers).toMatchObject(like(naive(decoding, ends)));
    expect(model.live).toBe(1);
  });

  test.each([
    { repetitionPenalty: 1.3 },
    { minNewTokens: 6 },
    { minNewTokens: 6, repetitionPenalty: 0.7, lengthPenalty: 2 },
  ])("processors act on log-probabilities: %o", async (params) => {
    const { answers, decoding } = await run(
      { ...params, maxNewTokens: 12, numBeams: 4, numReturnSequences: 4 },
      { endTokenIds: [4] },
    );
    expect(answers).toMatchObject(like(naive(decoding, [4])));
  });

  test("finds the best of all answers when nothing is pruned", async () => {
    const vocabularySize = 2;
    const model = fakeLanguageModel({ vocabularySize });
    const all = Array.from({ length: 16 }, (_, i) =>
      [...i.toString(2).padStart(4, "0")].map(Number),
    );
    const expected = all
      .map((tokens) => ({ tokens, score: sumOf(tokens, vocabularySize) / 4 }))
      .toSorted((a, b) => b.score - a.score);
    const { answers } = await run(
      { numBeams: 16, numReturnSequences: 16, maxNewTokens: 4 },
      { beginTokenId: 0 },
      model,
    );
    expect(answers).toMatchObject(like(expected));
  });

  test("returns the asked number of answers, best first, and says how they ended", async () => {
    const wide = await run(
      { numBeams: 4, numReturnSequences: 4, maxNewTokens: 9 },
      { endTokenIds: [4] },
    );
    const narrow = await run(
      { numBeams: 4, numReturnSequences: 2, maxNewTokens: 9 },
      { endTokenIds: [4] },
    );
    expect(narrow.answers).toEqual(wide.answers.slice(0, 2));
    for (const answer of wide.answers) {
      expect(answer.finishReason).toBe(idsOf(answer).at(-1) === 4 ? "stop" : "length");
    }
  });

  test("a stop text ends a beam as an end token does", async () => {
    const params = { numBeams: 3, numReturnSequences: 3, maxNewTokens: 12 };
    const byToken = await run(params, { endTokenIds: [4] });
    const byText = await run(params, { isStopped: (tokens) => tokens.at(-1) === 4 });
    expect(byText.answers).toEqual(byToken.answers);
  });

  test("looks far enough for as many beams as asked, however many end tokens are likely", async () => {
    const logitsOf = () => Float32Array.from({ length: 11 }, (_, id) => -id);
    const { model } = await run(
      { numBeams: 2, maxNewTokens: 3, earlyStopping: "never" },
      { endTokenIds: [0, 1, 2] },
      fakeLanguageModel({ logitsOf }),
    );
    expect(model.batches.slice(0, 2)).toEqual([1, 2]);
  });

  test("ends when the context is full", async () => {
    const full = await run(
      { numBeams: 3, maxNewTokens: 50 },
      {},
      fakeLanguageModel({ contextLength: 8 }),
    );
    const limited = await run({ numBeams: 3, maxNewTokens: 6 });
    expect(full.answers).toEqual(limited.answers);
  });

  test("tells the model's own log-probabilities and alternatives", async () => {
    const { answers } = await run({
      numBeams: 3,
      maxNewTokens: 6,
      topLogprobs: 2,
      repetitionPenalty: 1.5,
    });
    const tokens = idsOf(answers[0]!);
    answers[0]!.tokens.forEach(({ id, logprob, top }, i) => {
      const logprobs = logprobsAfter(tokens.slice(0, i), 11);
      expect(logprob).toBeCloseTo(logprobs[id]!, 5);
      expect(top![0]!.logprob).toBeCloseTo(Math.max(...logprobs), 5);
      expect(top).toHaveLength(2);
    });
  });

  test("shows at every step what it would return, at the end what it returns", async () => {
    const events: DecodingEvent[] = [];
    const { answers } = await run(
      { numBeams: 3, numReturnSequences: 2, maxNewTokens: 9 },
      { endTokenIds: [4], emit: (event) => void events.push(event) },
    );
    const shown = events.map((event) => (event.type === "beams" ? event.answers : []));
    expect(shown.at(-1)).toEqual(answers);
    for (const hypotheses of shown) {
      expect(hypotheses).toHaveLength(2);
      expect(hypotheses[0]!.score).toBeGreaterThanOrEqual(hypotheses[1]!.score!);
    }
  });

  test("answers begin with the answer prefix, its log-probabilities in their scores", async () => {
    const answerPrefix = [2, 9, 9];
    const { answers } = await run(
      { numBeams: 3, numReturnSequences: 3, maxNewTokens: 8 },
      { answerPrefix },
    );
    for (const answer of answers) {
      expect(idsOf(answer).slice(0, 3)).toEqual(answerPrefix);
      expect(answer.score).toBeCloseTo(sumOf(idsOf(answer), 11) / 8, 5);
    }
    const ended = await run({ numBeams: 3 }, { answerPrefix, endTokenIds: [9] });
    expect(ended.answers).toMatchObject([{ finishReason: "stop" }]);
    const full = await run({ numBeams: 3, maxNewTokens: 3 }, { answerPrefix });
    expect(full.answers).toMatchObject([{ finishReason: "length" }]);
  });

  test("goes on with fewer beams where bans leave fewer candidates", async () => {
    const banned = Array.from({ length: 11 }, (_, id) => [id]).filter(([id]) => id !== 6);
    const { answers, model } = await run(
      { numBeams: 4, numReturnSequences: 4, maxNewTokens: 5 },
      { badWordIds: banned },
    );
    expect(answers.map(idsOf)).toEqual([[6, 6, 6, 6, 6]]);
    expect(model.live).toBe(1);
    await expect(run({}, { badWordIds: [[6], ...banned] })).rejects.toMatchObject({
      code: "parameter",
    });
  });
});

describe("sequences of a beam search", () => {
  test("are as many as beams, and the prompt stays in the caller's", async () => {
    const { model, input } = await run({ numBeams: 4, maxNewTokens: 30, earlyStopping: "never" });
    expect(new Set(model.batches)).toEqual(new Set([1, 4]));
    expect(model.content(input.sequence).slice(0, promptTokens.length)).toEqual(promptTokens);
  });

  test.each([1, 2, 5])("are released when forward %i fails", async (failing) => {
    const model = fakeLanguageModel();
    const forward: FakeLanguageModel["forward"] = (rows) =>
      model.batches.length === failing ? Promise.reject(new Error("gone")) : model.forward(rows);
    const decoder = decode(decodingInput(model), resolveDecoding({ numBeams: 3 }));
    await expect(runDecoder(decoder, { forward })).rejects.toThrow("gone");
    expect(model.live).toBe(1);
  });

  test("are released when the caller gives up", async () => {
    const model = fakeLanguageModel();
    const controller = new AbortController();
    const input = decodingInput(model, {
      emit: () => {
        if (model.batches.length === 5) controller.abort();
      },
    });
    const decoder = decode(input, resolveDecoding({ numBeams: 3 }));
    await expect(runDecoder(decoder, model, controller.signal)).rejects.toThrow("aborted");
    expect(model.live).toBe(1);
  });
});
