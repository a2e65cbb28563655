import { expect, test } from "vitest";

import { resolveDecoding } from "./resolve.ts";
import { fromTransformers } from "./transformersParams.ts";

test.each([
  [
    { max_new_tokens: 64, eos_token_id: null },
    { method: "greedy", maxNewTokens: 64, stop: [] },
  ],
  [{ max_new_tokens: 20, min_length: 1 }, { minNewTokens: 0 }],
  [{ max_new_tokens: 40, min_length: 12 }, { minNewTokens: 11 }],
  [
    { max_new_tokens: 24, num_beams: 3, length_penalty: -1, early_stopping: "never" },
    {
      method: "beam",
      numBeams: 3,
      lengthPenalty: -1,
      earlyStopping: "never",
      numReturnSequences: 1,
    },
  ],
  [
    { max_new_tokens: 20, do_sample: false, top_p: 0.9, temperature: 0.2, length_penalty: 1 },
    { method: "greedy" },
  ],
  [
    { max_new_tokens: 20, do_sample: true, top_p: 0.9, temperature: 0.2, repetition_penalty: 1.05 },
    { method: "sample", topK: 50, topP: 0.9, temperature: 0.2, repetitionPenalty: 1.05 },
  ],
])("%o becomes %o", (generationArguments, expected) => {
  expect(resolveDecoding(fromTransformers(generationArguments).params)).toMatchObject(expected);
});

test("token ids come along", () => {
  const ids = (eos_token_id?: number | number[] | null) =>
    fromTransformers({ max_new_tokens: 1, eos_token_id, bos_token_id: 7 });
  expect(ids(5)).toMatchObject({ endTokenIds: [5], beginTokenId: 7 });
  expect(ids([5, 6])).toMatchObject({ endTokenIds: [5, 6] });
  expect(ids(null)).toMatchObject({ endTokenIds: [] });
  expect(ids().endTokenIds).toBeUndefined();
});

test.each([
  [{ max_new_tokens: 1, penalty_alpha: 0.6 }, /^penalty_alpha: want one of do_sample, /],
  [
    { max_new_tokens: 1, do_sample: true, num_beams: 2 },
    "do_sample: want false with 2 beams, got true",
  ],
  [
    { max_new_tokens: 1, num_return_sequences: 2 },
    "num_return_sequences: want 1 without beams, got 2",
  ],
  [{}, "max_new_tokens: want a number, got nothing"],
])("refuses %o", (generationArguments, message) => {
  expect(() => fromTransformers(generationArguments)).toThrow(message);
});
