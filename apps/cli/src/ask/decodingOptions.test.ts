import { Command } from "commander";
import { decodingParamsSchema } from "@tinygptv/protocol";
import { expect, it } from "vitest";
import { decodingOptions, decodingParams } from "./decodingOptions.ts";

function read(...groups: (string | string[])[]) {
  const argv = groups.flat();
  const command = new Command().exitOverride().configureOutput({ writeErr() {} });
  for (const option of decodingOptions()) command.addOption(option);
  return decodingParams(command.parse(argv, { from: "user" }).opts());
}

it("reads every kind of parameter into its type", () => {
  expect(
    read(
      ["--max-new-tokens", "7", "--length-penalty", "-0.5", "--method", "beam", "--logprobs"],
      ["--stop", "a", "--stop", "b", "--logit-bias", "5=-1", "--logit-bias", "6=2.5"],
      ["--json-schema", "true", "--early-stopping", "never", "--no-repeat-ngram-size", "3"],
    ),
  ).toEqual({
    maxNewTokens: 7,
    lengthPenalty: -0.5,
    method: "beam",
    logprobs: true,
    stop: ["a", "b"],
    logitBias: { "5": -1, "6": 2.5 },
    jsonSchema: "true",
    earlyStopping: "never",
    noRepeatNgramSize: 3,
  });
  expect(read("--early-stopping", "true")).toEqual({ earlyStopping: true });
  expect(read()).toEqual({});
});

it("has one option for each parameter", () => {
  const names = decodingOptions().map((option) => option.attributeName());
  expect(names).toEqual(Object.keys(decodingParamsSchema.shape));
});

it.each([
  ["--top-k", "many"],
  ["--logit-bias", "5"],
  ["--method", "guess"],
])("refuses %s %s", (...argv) => {
  expect(() => read(...argv)).toThrow(/is invalid/);
});
