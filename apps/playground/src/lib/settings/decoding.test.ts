import { decodingParamsSchema, resolveDecoding } from "@tinygptv/protocol";
import { describe, expect, it } from "vitest";
import { describeDecoding, presets, withMethod, withValue } from "./decoding.ts";
import { problemIn } from "./problem.ts";

describe("a cell's decoding", () => {
  it.each(presets)("may be the preset $label", ({ decoding }) => {
    expect(decodingParamsSchema.safeParse(decoding).success).toBe(true);
    expect(problemIn(() => resolveDecoding(decoding))).toBeUndefined();
  });

  it("drops another method's parameters with the method", () => {
    expect(withMethod({ method: "sample", temperature: 0.5, maxNewTokens: 5 }, "beam")).toEqual({
      method: "beam",
      maxNewTokens: 5,
    });
  });

  it("does not write down what holds anyway", () => {
    expect(withValue({ method: "sample", temperature: 0.5 }, "temperature", 1)).toEqual({
      method: "sample",
    });
    expect(withValue({ stop: ["."] }, "stop", [])).toEqual({});
    expect(withValue({ logitBias: { "7": 1 } }, "logitBias", {})).toEqual({});
    // A column's default is what its cell says.
    expect(withValue({}, "maxNewTokens", 300, { maxNewTokens: 64 })).toEqual({ maxNewTokens: 300 });
    expect(withValue({ maxNewTokens: 5 }, "maxNewTokens", 64, { maxNewTokens: 64 })).toEqual({});
  });

  it("reads in words", () => {
    expect(describeDecoding({ method: "sample", temperature: 0.5, seed: 7 })).toBe(
      "sampling · temperature 0.5 · seed 7",
    );
    expect(
      describeDecoding({ numBeams: 3, logitBias: { "7": 1 }, jsonSchema: "{}", logprobs: true }),
    ).toBe("beam search · beams 3 · logit bias 1 token · JSON Schema given");
  });

  it("tells what is wrong beside each other by the names of the controls", () => {
    expect(problemIn(() => resolveDecoding({ minNewTokens: 9, maxNewTokens: 5 }))).toEqual({
      subject: "minNewTokens",
      message: "Shortest answer: want at most Longest answer (5), got 9",
    });
    expect(problemIn(() => resolveDecoding({ numBeams: 2, numReturnSequences: 3 }))).toEqual({
      subject: "numReturnSequences",
      message: "Answers shown: want at most Beams (2), got 3",
    });
  });
});
