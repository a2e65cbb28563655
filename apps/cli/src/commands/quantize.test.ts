import { beforeAll, expect, it } from "vitest";
import { runCli, temporaryFolder } from "../testing/runCli.ts";

const folder = temporaryFolder();
const gallery = "models/nano/gallery";
let model: string;

beforeAll(async () => {
  model = folder.path("model");
  await runCli(["convert", "--from", "test/fixtures/micro-stage4", "--out", model]);
});

it("adds levels, and compares them", { timeout: 120_000 }, async () => {
  const { end, stdout } = await runCli([
    ["quantize", model, "--level", "int8,int4-gptq", "--json"],
    ["--images", gallery, "--limit", "4"],
  ]);
  expect(end).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ levels: ["fp32", "int8", "int4-gptq"] });

  const out = folder.path("report.json");
  const table = await runCli([
    ["compare", model, "--images", gallery, "--limit", "3"],
    ["--max-tokens", "8", "--out", out],
  ]);
  expect(table.end).toBe(0);
  expect(table.stdout).toMatch(/^tinygpt-v:fp32 .* 100\.0%/m);
  expect(table.stdout).toMatch(/^tinygpt-v:int4-gptq /m);
  expect(table.stderr).toContain("3 questions about 3 pictures");
  const { default: report } = await import(out, { with: { type: "json" } });
  expect(report.subjects.map(({ name }: { name: string }) => name)).toEqual([
    "tinygpt-v:fp32",
    "tinygpt-v:int8",
    "tinygpt-v:int4-gptq",
  ]);
  expect(report.subjects[1].agreement.klDivergence.mean).toBeGreaterThan(0);
});

it.each([
  [["--level", "fp32"], 1, "want levels that are not there yet, got fp32"],
  [["--dtype", "int5"], 2, "level: want one of fp32, fp16"],
  [["--dtype", "int4", "--level", "int8"], 2, "cannot be used with option '--level <levels>'"],
  [["--level", "int8", "--dtype", "int4"], 2, "cannot be used with option '--level <levels>'"],
  [["--dtype", "int4,,auto"], 2, "Want levels separated by commas"],
  [["--dtype", "int4-gptq"], 2, "want questions about pictures to calibrate with"],
  [
    ["--dtype", "int4-gptq", "--questions", "none.jsonl"],
    2,
    "none.jsonl: want a file of data, got no such file",
  ],
  [[], 2, "required option '--level <levels>'"],
])("quantize %j ends with %i", async (args, end, message) => {
  const result = await runCli([["quantize", model], args]);
  expect(result.stderr).toContain(message);
  expect(result.end).toBe(end);
});

it.each([
  [[], 2, "images: want a folder of pictures, got none"],
  [["--images", "test/fixtures/tokenizer"], 2, "want a folder with pictures"],
  [["--images", gallery, "--limit", "0"], 2, "Want a whole number from 1"],
])("compare %j ends with %i", async (args, end, message) => {
  const result = await runCli([["compare", model], args]);
  expect(result.stderr).toContain(message);
  expect(result.end).toBe(end);
});
