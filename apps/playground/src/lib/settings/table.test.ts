import { decodingDefaults, decodingParamsSchema } from "tinygptv/protocol";
import { describe, expect, it } from "vitest";
import {
  complaint,
  describeDecoding,
  numberSettings,
  ownerOf,
  presets,
  withMethod,
  withValue,
} from "./table.ts";

const accepts = (key: string, value: number): boolean =>
  decodingParamsSchema.safeParse({ [key]: value }).success;

describe("the settings table", () => {
  it.each(numberSettings)(
    "offers for $key only what the protocol accepts",
    ({ key, min, max, step, integer }) => {
      expect([min, min + step, max].filter((value) => !accepts(key, value))).toEqual([]);
      expect(accepts(key, min + 0.003)).toBe(!integer);
      const fallback = decodingDefaults[key];
      expect(fallback).toBeTypeOf("number");
      expect(fallback).toBeGreaterThanOrEqual(ownerOf(key) === "beam" ? Math.min(min, 1) : min);
      expect(fallback).toBeLessThanOrEqual(max);
    },
  );

  it("has presets the protocol accepts", () => {
    for (const { decoding } of presets)
      expect(decodingParamsSchema.safeParse(decoding).success).toBe(true);
  });

  it("says why a number is refused", () => {
    const temperature = numberSettings.find(({ key }) => key === "temperature")!;
    expect(complaint(temperature, 3)).toBe("Temperature: want 0.1 to 2, got 3");
    expect(complaint(temperature, 1)).toBeUndefined();
    expect(complaint(numberSettings[0], 1.5)).toBe("Longest answer: want a whole number");
  });

  it("drops another method's parameters and writes no defaults", () => {
    expect(withMethod({ method: "sample", temperature: 0.5, maxNewTokens: 5 }, "beam")).toEqual({
      method: "beam",
      maxNewTokens: 5,
    });
    expect(withValue({ method: "sample", temperature: 0.5 }, "temperature", 1)).toEqual({
      method: "sample",
    });
    expect(describeDecoding({ method: "sample", temperature: 0.5, seed: 7 })).toBe(
      "sampling · temperature 0.5 · seed 7",
    );
  });
});
