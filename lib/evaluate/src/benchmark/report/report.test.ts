import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { evaluate } from "../evaluate.ts";
import { meanRule, type Rule } from "../rules/rule.ts";
import { scripted } from "../testing/scripted.ts";
import { intervals, pairedDifferences, type Measured } from "./bootstrap.ts";
import { reportPage } from "./page.ts";
import { reportRuns } from "./report.ts";
import { verdictOf } from "./verdict.ts";

const rule = meanRule("share", "", () => 0);
/** Answers with these points. */
const measured = (points: readonly number[], of: Rule = rule): Measured =>
  new Map([[of, points.map((point) => [point, 1])]]);

/** So many right ones among 400. */
const among400 = (right: number) => Array.from({ length: 400 }, (_, i) => (i < right ? 1 : 0));

it("has the interval of a share as statistics know it", () => {
  const [{ value, low, high }] = intervals(measured(among400(100))) as [
    ReturnType<typeof intervals>[0],
  ];
  expect(value).toBe(0.25);
  // 1.96 standard errors: sqrt(0.25 · 0.75 / 400) each.
  const error = 1.96 * Math.sqrt((0.25 * 0.75) / 400);
  expect(low).toBeGreaterThan(0.25 - 1.15 * error);
  expect(low).toBeLessThan(0.25 - 0.85 * error);
  expect(high).toBeGreaterThan(0.25 + 0.85 * error);
  expect(high).toBeLessThan(0.25 + 1.15 * error);
});

it("sees a small difference between runs that are right about the same questions", () => {
  const better = among400(100).map((point, i) => (i >= 390 ? 1 : point));
  const [paired] = pairedDifferences(measured(among400(100)), measured(better));
  expect(paired!.value).toBeCloseTo(0.025, 12);
  expect(verdictOf(paired!)).toBe("better");
  // As many more right ones, but others: with as much chance in both.
  const others = Array.from({ length: 400 }, (_, i) => (i >= 290 ? 1 : 0));
  const [apart] = pairedDifferences(measured(among400(100)), measured(others));
  expect(apart!.value).toBeCloseTo(0.025, 12);
  expect(verdictOf(apart!)).toBe("no difference shown");
});

it("sees none between a run and itself", () => {
  const [difference] = pairedDifferences(measured(among400(7)), measured(among400(7)));
  expect(difference).toEqual({ value: 0, low: 0, high: 0 });
});

it("resamples figures that are no means", () => {
  // A quotient of sums: 1 of 1 and 1 of 3 make 2 of 4, not the mean of the two.
  const quotient: Rule = { ...rule, figure: ([a, b]) => a! / b! };
  const [{ value, low, high }] = intervals(
    new Map([
      [
        quotient,
        [
          [1, 1],
          [1, 3],
        ],
      ],
    ]),
  ) as [ReturnType<typeof intervals>[0]];
  expect({ value, low, high }).toEqual({ value: 0.5, low: 1 / 3, high: 1 });
});

const sets = fileURLToPath(new URL("../../../../../test/fixtures/eval/", import.meta.url));
let scratch = "";
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "tinygptv-report-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function run(name: string, answers: Record<string, string>, limit?: number): Promise<string> {
  const out = join(scratch, name);
  const model = { name, level: "fp32" };
  const answerer = scripted(answers);
  await evaluate({ benchmark: "gqa", data: join(sets, "gqa"), out, model, answerer, limit });
  return out;
}

it("compares runs over the questions they share, and shows where they disagree", async () => {
  const one = await run("one", { fruit: "apple", roof: "no", dog: "no" });
  const two = await run("two", { fruit: "apple", roof: "yes", dog: "no" });
  const some = await run("some", { fruit: "<b>pear</b>", roof: "yes", dog: "no" }, 2);
  const [report] = await reportRuns([one, two, some]);
  expect(report!.runs.map(({ name, count, against }) => [name, count, against?.count])).toEqual([
    ["one:fp32", 3, undefined],
    ["two:fp32", 3, 3],
    ["some:fp32", 2, 2],
  ]);
  expect(report!.runs[1]!.against!.differences["reference"]!.value).toBeCloseTo(1 / 3, 12);
  expect(report!.runs[0]!.byType["verify"]).toMatchObject({
    count: 2,
    figures: { reference: { value: 0.5 } },
  });
  // Of the two questions that all have.
  expect(
    report!.disagreements.map(({ id, answers }) => [id, answers.map(({ points }) => points)]),
  ).toEqual([
    ["201", [1, 1, 0]],
    ["202", [0, 1, 1]],
  ]);

  const page = await reportPage([report!]);
  expect(page.match(/<img src="data:image\/jpeg;base64,/g)).toHaveLength(2);
  // What a model wrote is text.
  expect(page.includes("<b>pear</b>")).toBe(false);
  expect(page.includes("&lt;b&gt;pear&lt;/b&gt;")).toBe(true);
});
