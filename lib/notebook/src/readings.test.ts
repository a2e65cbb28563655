import { describe, expect, it } from "vitest";
import type { AnswerToken } from "@tinygptv/protocol";
import type { Output, Run } from "./output.ts";
import { disagreements, prefersAnother, readingsOf } from "./readings.ts";
import { outputTable } from "./table.ts";

/** A token with the probabilities of its alternatives, most probable first. */
const token = (id: number, ...probabilities: [id: number, p: number][]): AnswerToken => ({
  id,
  text: String(id),
  logprob: Math.log(probabilities.find(([other]) => other === id)?.[1] ?? 1),
  top: probabilities.map(([other, p]) => ({
    id: other,
    text: String(other),
    logprob: Math.log(p),
  })),
});
const run = (label: string, model: string): Run => ({
  label,
  model,
  decoding: {},
  coordinates: {},
  pictures: [],
  state: "done",
  answers: [],
});
const score = (answer: number, under: number, tokens: AnswerToken[]) => ({
  answer,
  under,
  meanLogprob: tokens.reduce((sum, { logprob = 0 }) => sum + logprob, 0) / tokens.length,
  tokens,
});

/** The answer `1 2` of the first level under both; a third column shares the second's level. */
const wide = [token(1, [1, 0.8], [2, 0.2]), token(2, [2, 0.5], [1, 0.5])];
const narrow = [token(1, [2, 0.6], [1, 0.4]), token(2, [2, 0.5], [1, 0.5])];
const output: Output = {
  inputs: "",
  at: "",
  runs: [run("fp32", "m:fp32"), run("int4", "m:int4"), run("int4 sampled", "m:int4")],
  scores: [score(0, 1, narrow), score(0, 0, wide), score(0, 2, narrow), score(1, 0, [token(3)])],
};

describe("an answer under its levels", () => {
  it("is read once a level, in the order of the columns", () => {
    expect(readingsOf(output, 0).map(({ run: index }) => index)).toEqual([0, 1]);
    expect(readingsOf(output, 2)).toEqual([]);
  });

  it("leaves out a level that cuts the text into other tokens", () => {
    const other = { ...output, scores: [score(0, 0, wide), score(0, 1, [token(12)])] };
    expect(readingsOf(other, 0).map(({ run: index }) => index)).toEqual([0]);
  });

  it("shows where levels would have gone on differently", () => {
    expect(narrow.map(prefersAnother)).toEqual([true, false]);
    expect([prefersAnother({ id: 1, text: "" }), prefersAnother(undefined)]).toEqual([
      false,
      false,
    ]);
    expect(disagreements(readingsOf(output, 0))).toEqual([0]);
    expect(disagreements([])).toEqual([]);
  });
});

describe("the table of a comparison", () => {
  it("measures every level on the first column's answer", () => {
    const [fp32, int4] = outputTable(output);
    expect(fp32).toMatchObject({ top1: 100, kl: 0 });
    expect(fp32?.["answerLogprob"]).toBeCloseTo(-0.4581, 4); // (ln 0.8 + ln 0.5) / 2
    expect(int4?.["answerLogprob"]).toBeCloseTo(-0.8047, 4); // (ln 0.4 + ln 0.5) / 2
    expect(int4?.["top1"]).toBe(50);
    expect(int4?.["kl"]).toBeCloseTo(0.1674, 4); // (0.8 ln 2 + 0.2 ln ⅓ + 0) / 2
  });

  it("has none of this where nothing was scored", () => {
    const [row] = outputTable({ ...output, scores: [] });
    expect(row).toMatchObject({ answerLogprob: undefined, top1: undefined, kl: undefined });
  });
});
