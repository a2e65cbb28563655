import { describe, expect, it } from "vitest";
import {
  folded,
  interrupted,
  keptOutputs,
  maxKept,
  settled,
  shortfall,
  shownOutput,
  unfolded,
  withOutput,
  type KeptOutputs,
} from "./kept.ts";
import { emptyAnswer, type Output, type RunState } from "./output.ts";
import { checkOutput } from "./outputSchema.ts";

/** An output of one run a state, started in that second. */
const output = (second: number, states: readonly RunState[], tokens = 0): Output => ({
  inputs: "x",
  at: new Date(second * 1000).toISOString(),
  scores: [],
  runs: states.map((state) => ({
    label: "answer",
    decoding: {},
    coordinates: {},
    pictures: [],
    state,
    answers: [
      {
        ...emptyAnswer({ rounds: [{ prompt: "x", images: 0 }] }),
        text: `answer ${second}`,
        tokens: Array.from({ length: tokens }, (_, id) => ({
          id,
          text: "t",
          logprob: -1,
          top: [{ id, text: "t", logprob: -1 }],
        })),
      },
    ],
  })),
});
const all = (...outputs: Output[]): KeptOutputs =>
  outputs.reduce<KeptOutputs | undefined>(withOutput, undefined)!;
const texts = (kept: KeptOutputs | undefined): (string | undefined)[] =>
  (kept?.outputs ?? []).map(({ runs }) => runs[0]?.answers[0]?.text);
const shown = (kept: KeptOutputs | undefined): string | undefined =>
  kept && shownOutput(kept)?.runs[0]?.answers[0]?.text;

describe("outputs of a cell", () => {
  it("are appended, and replaced by later states of the same run", () => {
    const kept = all(output(1, ["done"]), output(2, ["running"]), output(2, ["done"]));
    expect(texts(kept)).toEqual(["answer 1", "answer 2"]);
    expect(kept.outputs[1]?.runs[0]?.state).toBe("done");
    expect(shown(kept)).toBe("answer 2");
  });

  it.each<[string, RunState[], RunState[], string]>([
    ["a complete run takes the place", ["done"], ["done"], "answer 2"],
    ["a failed one does not", ["done"], ["error"], "answer 1"],
    ["a stopped one does not", ["done"], ["stopped"], "answer 1"],
    ["one with fewer answers does not", ["done", "done"], ["done", "stopped"], "answer 1"],
    ["one with more answers does", ["done", "error"], ["done", "done"], "answer 2"],
    ["a smaller complete one does", ["done", "done"], ["done"], "answer 2"],
    ["after a failed one only more does", ["error"], ["error"], "answer 1"],
  ])("%s of the one before", (_, before, after, wanted) => {
    const [first, second] = [output(1, before), output(2, after)];
    const kept = settled(all(first, second), first.at);
    expect(shown(kept)).toBe(wanted);
    expect(texts(kept)).toEqual(["answer 1", "answer 2"]);
    expect(shortfall(kept)?.state).toBe(wanted === "answer 1" ? after.at(-1) : undefined);
    expect(shown(keptOutputs([second, first]))).toBe(wanted);
  });

  it("are the last twenty, the one shown among them, with the rivals of the latest", () => {
    const many = Array.from({ length: 30 }, (_, i) => output(i + 1, ["done"], 10_000));
    const kept = all(...many);
    expect(texts(kept)).toEqual(
      Array.from({ length: maxKept }, (_, i) => `answer ${i + 31 - maxKept}`),
    );
    const rivals = kept.outputs.map(
      ({ runs }) => runs[0]?.answers[0]?.tokens.filter(({ top }) => top !== undefined).length,
    );
    expect(rivals).toEqual([...Array<number>(17).fill(0), 10_000, 10_000, 10_000]);
    const chosen = { ...kept, shown: kept.outputs[0]!.at };
    expect(shown(keptOutputs([...chosen.outputs, output(40, ["error"])], chosen.shown))).toBe(
      "answer 11",
    );
  });

  it("do not give way to attempts that came to nothing", () => {
    const attempt = (second: number): Output => {
      const { runs, ...failed } = output(second, ["error"]);
      return { ...failed, runs: runs.map((run) => ({ ...run, answers: [] })) };
    };
    const first = output(1, ["done"]);
    const kept = Array.from({ length: 30 }, (_, i) => attempt(i + 2)).reduce<KeptOutputs>(
      (sofar, next) => settled(withOutput(sofar, next), first.at),
      all(first),
    );
    expect(texts(kept)).toEqual(["answer 1", undefined]);
    expect(shown(kept)).toBe("answer 1");
    expect(texts(withOutput(kept, output(50, ["done"])))).toEqual(["answer 1", "answer 50"]);
  });

  it("say where a page went away in the middle", () => {
    const [run] = interrupted(output(1, ["running"])).runs;
    expect(run).toMatchObject({ state: "stopped", error: { code: "aborted" } });
    expect(run?.answers[0]?.text).toBe("answer 1");
    const whole = output(1, ["done", "error"]);
    expect(interrupted(whole)).toBe(whole);
  });

  it("are one in a file, and all again when it is read", () => {
    const kept = { ...all(...[1, 2, 3].map((i) => output(i, ["done"]))), shown: output(2, []).at };
    const file: unknown = JSON.parse(JSON.stringify(folded(kept)));
    const read = checkOutput(file, "file", "file");
    expect(read.runs[0]?.answers[0]?.text).toBe("answer 2");
    expect(unfolded(read)).toEqual(kept);
    const { others: _others, ...alone } = read;
    expect(texts(unfolded(alone))).toEqual(["answer 2"]);
  });
});
