import { sweepParameters } from "tinygptv/notebook";
import { describe, expect, it } from "vitest";
import { parseValues, suggestedValues } from "./values.ts";

describe("axis values", () => {
  it("reads lists, ranges and words", () => {
    expect(parseValues("temperature", "0.2, 0.6,1")).toEqual({ values: [0.2, 0.6, 1] });
    expect(parseValues("seed", "1..4, 9")).toEqual({ values: [1, 2, 3, 4, 9] });
    expect(parseValues("model", "nano:int8, nano:int4")).toEqual({
      values: ["nano:int8", "nano:int4"],
    });
  });

  it("says what is wrong", () => {
    expect(parseValues("temperature", "0.2, 9")).toEqual({
      problem: "Temperature: want 0.1 to 2, got 9",
    });
    expect(parseValues("temperature", "warm")).toEqual({ problem: "Temperature: want a number" });
    expect(parseValues("seed", " ")).toEqual({ problem: "Want at least one value" });
    expect(parseValues("seed", "1..1000000000")).toEqual({
      problem: "Want at most 64 values, got 65",
    });
  });

  it.each(sweepParameters)("suggests values for %s that are accepted", (parameter) => {
    const text = suggestedValues(parameter, ["nano:fp32"]).join(", ");
    expect(parseValues(parameter, text)).toHaveProperty("values");
  });
});
