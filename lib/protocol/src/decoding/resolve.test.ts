import { describe, expect, test } from "vitest";

import { TinyGptvError } from "../errors.ts";
import { decodingDefaults } from "./parameters.ts";
import { decodingPresets } from "./presets.ts";
import { isDeterministic, resolveDecoding } from "./resolve.ts";

const failure = (params: unknown) => {
  try {
    resolveDecoding(params);
  } catch (error) {
    return error as TinyGptvError;
  }
  throw new Error("accepted");
};

describe("resolveDecoding", () => {
  test("is greedy with the documented defaults when nothing is given", () => {
    expect(resolveDecoding()).toEqual({
      method: "greedy",
      maxNewTokens: 300,
      minNewTokens: 0,
      stop: ["###"],
      badWords: [],
      logitBias: {},
      repetitionPenalty: 1,
      presencePenalty: 0,
      frequencyPenalty: 0,
      noRepeatNgramSize: 0,
      logprobs: false,
      topLogprobs: 0,
    });
  });

  test.each([
    [{}, "greedy"],
    [{ numBeams: 1 }, "greedy"],
    [{ repetitionPenalty: 1.3 }, "greedy"],
    [{ numBeams: 3 }, "beam"],
    [{ method: "beam" }, "beam"],
    [{ temperature: 0.6 }, "sample"],
    [{ topK: 0 }, "sample"],
    [{ topP: 0.9, numBeams: 1 }, "sample"],
    [{ minP: 0.1 }, "sample"],
    [{ seed: 0 }, "sample"],
    [{ seed: -1 }, "sample"],
    [{ topP: 0 }, "sample"],
    [{ temperature: 0 }, "greedy"],
    [{ temperature: 0, topP: 0.5, seed: 3 }, "greedy"],
    [{ method: "sample", temperature: 0 }, "greedy"],
    [{ temperature: 0, numBeams: 3 }, "beam"],
    [{ seed: undefined, numBeams: undefined }, "greedy"],
  ])("%o is %s", (params, method) => {
    expect(resolveDecoding(params).method).toBe(method);
  });

  test("JSON ends where it is complete: no stop text, no least length", () => {
    expect(resolveDecoding({ jsonSchema: "{}" })).toMatchObject({ stop: [], jsonSchema: "{}" });
    expect(failure({ jsonSchema: "{}", stop: ["x"] }).message).toBe(
      "stop: want none with jsonSchema, got 1",
    );
    expect(failure({ jsonSchema: "{}", minNewTokens: 2 }).subject).toBe("minNewTokens");
  });

  test("a parameter of one method does not show up in another", () => {
    expect(Object.keys(resolveDecoding({ numBeams: 2 }))).not.toContain("temperature");
    expect(Object.keys(resolveDecoding({ seed: 1 }))).not.toContain("numBeams");
  });

  test("a missing seed is drawn from the given source, a given one is kept", () => {
    expect(resolveDecoding({ temperature: 1 }, () => 77)).toMatchObject({ seed: 77 });
    expect(resolveDecoding({ temperature: 1, seed: 5 }, () => 77)).toMatchObject({ seed: 5 });
    const [a, b] = [resolveDecoding({ topK: 5 }), resolveDecoding({ topK: 5 })];
    expect(a).not.toEqual(b);
  });

  test("topLogprobs asks for the log-probabilities too", () => {
    expect(resolveDecoding({ topLogprobs: 3 })).toMatchObject({ logprobs: true, topLogprobs: 3 });
  });

  test.each([
    [{ topP: 7 }, "topP: want a number from 0 to 1, got 7"],
    [{ topP: Number.NaN }, "topP: want a number from 0 to 1, got NaN"],
    [{ temperature: "1" }, 'temperature: want 0 or a number from 0.001 to 100, got "1"'],
    [{ numBeams: 2.5 }, "numBeams: want a whole number from 1 to 16, got 2.5"],
    [{ temperature: 0.0001 }, "temperature: want 0 or a number from 0.001 to 100, got 0.0001"],
    [{ seed: 1.5 }, "seed: want a whole number, got 1.5"],
    [
      { seed: 2 ** 64 },
      `seed: want a whole number from ${-(2 ** 63)} to ${2 ** 63}, got ${2 ** 64}`,
    ],
    [{ method: "best" }, 'method: want one of greedy, sample, beam, got "best"'],
    [{ earlyStopping: "x" }, 'earlyStopping: want true or false or "never", got "x"'],
    [{ stop: ["ok", ""] }, 'stop[1]: want a text of 1 to 256 characters, got ""'],
    [{ stop: Array(17).fill("a") }, "stop: want a list of 0 to 16 items, got a list of 17"],
    [{ logitBias: { 5: 1000 } }, "logitBias.5: want a number from -100 to 100, got 1000"],
    [{ method: "greedy", topK: 5 }, "topK: want method sample with it, got method greedy"],
    [{ numBeams: 2, seed: 1 }, "seed: want method sample with it, got method beam"],
    [{ lengthPenalty: 2 }, "lengthPenalty: want method beam with it, got method greedy"],
    [
      { method: "beam", numBeams: 1 },
      "numBeams: want a whole number from 2 to 16 for beam search, got 1",
    ],
    [
      { numBeams: 2, numReturnSequences: 3 },
      "numReturnSequences: want at most numBeams (2), got 3",
    ],
    [{ minNewTokens: 9, maxNewTokens: 8 }, "minNewTokens: want at most maxNewTokens (8), got 9"],
    [{ topLogprobs: 2, logprobs: false }, "topLogprobs: want 0 where logprobs is false, got 2"],
  ])("refuses %o by name", (params, message) => {
    const error = failure(params);
    expect(error).toBeInstanceOf(TinyGptvError);
    expect(error.message).toBe(message);
    expect(error.code).toBe("parameter");
    expect(error.subject).toBe(/^\w+/.exec(message)?.[0]);
  });

  test("refuses an unknown name and lists the known ones", () => {
    const error = failure({ top_k: 3 });
    expect(error.subject).toBe("top_k");
    expect(error.message).toMatch(
      /^top_k: want one of method, maxNewTokens, .*earlyStopping, got 3$/,
    );
  });

  test.each([null, "greedy", 3])("refuses %o as parameters", (params) => {
    expect(failure(params).message).toMatch(/^request: want an object, got /);
  });

  test("accepts its own defaults and presets", () => {
    for (const preset of Object.values(decodingPresets)) {
      expect(resolveDecoding(preset)).toMatchObject(preset);
    }
    const { numBeams, lengthPenalty, earlyStopping, numReturnSequences, ...rest } =
      decodingDefaults;
    expect(resolveDecoding({ method: "sample", ...rest })).toMatchObject(rest);
    expect(
      resolveDecoding({ numBeams, lengthPenalty, earlyStopping, numReturnSequences }),
    ).toMatchObject({
      method: "beam",
      numBeams: 4,
    });
  });
});

test.each([
  [{}, true],
  [{ numBeams: 3 }, true],
  [{ temperature: 0 }, true],
  [{ temperature: 0, topK: 4 }, true],
  [{ temperature: 0.1 }, false],
  [{ minP: 0.1 }, false],
  [{ minP: 0.1, seed: 3 }, true],
])("whether %o has one answer: %s", (params, expected) => {
  expect(isDeterministic(params)).toBe(expected);
});
