import { sweepParameters } from "@tinygptv/notebook";
import { describe, expect, it } from "vitest";
import { axisSetting, parseValues, suggestedValues } from "./values.ts";

const levels = ["nano:fp32", "nano:int8"];
const parse = (parameter: string, text: string): ReturnType<typeof parseValues> =>
  parseValues(axisSetting(parameter, levels), text);

describe("axis values", () => {
  it("reads lists, ranges and words", () => {
    expect(parse("temperature", "0.2, 0.6,1")).toEqual({ values: [0.2, 0.6, 1] });
    expect(parse("seed", "1..4, 9, 4294967295")).toEqual({ values: [1, 2, 3, 4, 9, 4294967295] });
    expect(parse("model", "nano:int8, nano:fp32")).toEqual({ values: ["nano:int8", "nano:fp32"] });
    expect(parse("method", "greedy, beam")).toEqual({ values: ["greedy", "beam"] });
    expect(parse("earlyStopping", "true, never")).toEqual({ values: [true, "never"] });
  });

  it.each([
    ["temperature", "0.2, 9", "Temperature: want a number from 0 to 2, got 9"],
    ["temperature", "warm", "Temperature: want a number from 0 to 2, got warm"],
    ["seed", " ", "Seed: want at least one value"],
    [
      "seed",
      "1.5",
      "Seed: want a whole number from -9007199254740991 to 9007199254740991, got 1.5",
    ],
    ["seed", "1..1000000000", "Seed: want at most 64 values, got 65"],
    ["method", "greedy, dance", "Method: want one of greedy, sample, beam, got dance"],
    ["earlyStopping", "soon", "Stop early: want one of true, false, never, got soon"],
    ["task", "dance", "Task: want one of vqa, caption,"],
    ["template", "stage5", "Template: want one of stage4, stage3,"],
    ["model", "nano:int1", "Level: want one of nano:fp32, nano:int8, got nano:int1"],
  ])("says what is wrong with %s %s", (parameter, text, problem) => {
    expect(parse(parameter, text)).toEqual({ problem: expect.stringContaining(problem) });
  });

  it.each(sweepParameters)("suggests values for %s that are accepted", (parameter) => {
    const suggested = suggestedValues(axisSetting(parameter, levels));
    expect(parse(parameter, suggested.join(", "))).toEqual({ values: suggested });
  });
});
