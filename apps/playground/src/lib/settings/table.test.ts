import { decodingNames, decodingParamsSchema, rowOf } from "@tinygptv/protocol";
import type { DecodingParams } from "@tinygptv/protocol";
import { chatRequestSchema, toChatRequest } from "@tinygptv/protocol/http";
import { describe, expect, it } from "vitest";
import { complaint } from "./check.ts";
import type { Setting } from "./kinds.ts";
import { settings } from "./table.ts";

/** Whether both the protocol and the endpoint take a value. */
function accepted(key: string, value: unknown): boolean {
  const decoding = { [key]: value } as DecodingParams;
  return (
    decodingParamsSchema.safeParse(decoding).success &&
    chatRequestSchema.safeParse(
      toChatRequest({ rounds: [{ prompt: "x" }], decoding }, [], undefined),
    ).success
  );
}

/** The utmost a setting accepts. */
function extremes(setting: Setting): unknown[] {
  switch (setting.kind) {
    case "number":
      return [setting.min, setting.min + setting.step, setting.max];
    case "seed":
      return [setting.min, setting.max];
    case "choice":
      return setting.options.map(({ value }) => value);
    case "texts":
      return [Array.from({ length: setting.most }, () => "x".repeat(setting.longest))];
    case "biases":
      return [
        Object.fromEntries(Array.from({ length: setting.most }, (_, id) => [id, setting.min])),
        { "9999999": setting.max },
      ];
    case "schema":
      return [setting.example, JSON.stringify({ title: "x".repeat(setting.longest - 12) })];
  }
}

describe("the settings table", () => {
  it("has every parameter, or says why it is no setting", () => {
    const implied = decodingNames.filter((name) => rowOf(name).implied !== undefined);
    expect(implied).toEqual(["logprobs"]);
    const listed = [...settings.map(({ key }) => key), ...implied];
    expect(listed.toSorted()).toEqual(decodingNames.toSorted());
  });

  it.each(settings)("accepts for $key only what protocol and endpoint do", (setting) => {
    for (const value of extremes(setting)) {
      expect(complaint(setting, value)).toBeUndefined();
      expect(accepted(setting.key, value)).toBe(true);
    }
  });

  it.each(settings.filter((setting) => setting.kind === "number" || setting.kind === "seed"))(
    "knows whether $key is a whole number",
    ({ key, min, integer }) => {
      expect(accepted(key, Math.max(min, 0) + 0.003)).toBe(!integer);
    },
  );

  it.each(settings.filter(({ fallback }) => fallback !== undefined))(
    "accepts the default of $key",
    (setting) => {
      expect(complaint(setting, setting.fallback)).toBeUndefined();
    },
  );
});

describe("checks", () => {
  it.each<[keyof DecodingParams, unknown, string]>([
    ["temperature", 3, "Temperature: want a number from 0 to 2, got 3"],
    ["temperature", Number.NaN, "Temperature: want a number from 0 to 2, got nothing"],
    ["maxNewTokens", 1.5, "Longest answer: want a whole number from 1 to 1024, got 1.5"],
    ["seed", 1.5, "Seed: want a whole number from -9007199254740991 to 9007199254740991, got 1.5"],
    ["earlyStopping", "soon", "Stop early: want one of true, false, never, got soon"],
    ["stop", [..."abcdefghi"], "Stop texts: want at most 8 lines, got 9"],
    [
      "badWords",
      ["x".repeat(300)],
      "Bad words: want lines of at most 256 characters, got one of 300",
    ],
    ["logitBias", { dog: 1 }, "Logit bias: want the id of a token, got dog"],
    ["logitBias", { "7": 200 }, "Logit bias: token 7: want a number from -100 to 100, got 200"],
    ["jsonSchema", "{", "JSON Schema: want JSON: "],
    ["jsonSchema", '{"pattern":"a"}', "JSON Schema: /pattern: this keyword is not supported"],
    ["jsonSchema", "3", "JSON Schema: want a schema, got 3"],
  ])("refuse %s %j", (key, value, message) => {
    const setting = settings.find((one) => one.key === key)!;
    expect(complaint(setting, value)).toContain(message);
  });
});
