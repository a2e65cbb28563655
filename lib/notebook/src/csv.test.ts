import { expect, it } from "vitest";
import { emptyAnswer, type Output, type Run } from "./output.ts";
import { toCsv } from "./csv.ts";
import { outputTable } from "./table.ts";

const run = (label: string, text: string, rest: Partial<Run> = {}): Run => ({
  label,
  model: "nano:fp32",
  decoding: {},
  coordinates: {},
  pictures: [],
  state: "done",
  answers: [
    {
      ...emptyAnswer({ rounds: [{ prompt: "?" }] }),
      text,
      timings: { queue: 0, image: 0, prefill: 1, decode: 2.5, total: 3.5 },
      tokens: [{ id: 1, text, logprob: -0.5 }],
    },
  ],
  ...rest,
});

const csv = (...runs: Run[]): string[] => {
  const output: Output = { inputs: "", at: "", runs, scores: [] };
  return toCsv(outputTable(output)).split("\r\n");
};

it("writes a header with units and one record a run", () => {
  const [header, first, last, rest] = csv(
    run("temperature 1", "a dog", { coordinates: { temperature: 1 } }),
    run("temperature 2", "a cat", { coordinates: { temperature: 2 } }),
  );
  expect(header).toBe(
    "Run,Level,temperature,Answer,Latency (ms),Queue (ms),Image (ms),Prefill (ms),Decode (ms),Tokens,Mean log-probability (nats)",
  );
  expect(first).toBe("temperature 1,nano:fp32,1,a dog,3.5,0,0,1,2.5,1,-0.5");
  expect(last).toContain("a cat");
  expect(rest).toBe("");
});

it("counts an evaluation level by level", () => {
  const judged = (item: number, correct: boolean) =>
    run("nano:int8", "x", { coordinates: { item }, expected: "x", correct });
  const [header, only] = csv(judged(1, true), judged(2, false));
  expect(header).toMatch(/^Run,Level,Questions,Right,.*Accuracy \(%\)$/);
  expect(only).toMatch(/^nano:int8,nano:fp32,2,1,.*,50$/);
});

it("says why a run has no answer", () => {
  const [header, failed] = csv(
    run("a", "", { answers: [], state: "error", error: { code: "busy", message: "busy: full" } }),
  );
  expect(header).toContain(",Error,");
  expect(failed).toContain(",busy: full,");
});

it.each([
  ["a, b", '"a, b"'],
  ['say "hi"', '"say ""hi"""'],
  ["two\nlines", '"two\nlines"'],
  ["=1+1", "'=1+1"],
  ["+1", "'+1"],
  ["-1", "'-1"],
  ["@SUM(A1)", "'@SUM(A1)"],
  ['=HYPERLINK("x","y")', `"'=HYPERLINK(""x"",""y"")"`],
])("writes the answer %j as %j", (text, field) => {
  expect(csv(run("a", text))[1]).toContain(`,${field},3.5,`);
});
