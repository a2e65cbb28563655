import { beforeAll, expect, it } from "vitest";
import { runCli, temporaryFolder } from "../testing/runCli.ts";

const folder = temporaryFolder();
const micro = "test/fixtures/micro-stage4";

beforeAll(async () => {
  await runCli(["convert", "--from", micro, "--out", folder.path("model")]);
});

it("passes a model that computes what the reference computes", async () => {
  const { end, stdout } = await runCli([
    ["verify", folder.path("model")],
    ["--golden", `${micro}/golden.json`],
  ]);
  expect(end).toBe(0);
  expect(stdout).toMatch(/^ok +prompt0\.prefill_logits +\S+ +1e-4$/m);
  expect(stdout).toMatch(/^ok +beam: tokens and text +\d+ of \d+ equal$/m);
  expect(stdout).toMatch(/^ok +train\.loss +\S+ +1e-4$/m);
  expect(stdout).toMatch(/^\d+ passed, 0 failed$/m);
});

it("exits 1 and shows the differences of a model with other weights", async () => {
  const golden = "test/fixtures/micro-stage4-qformer/golden.json";
  const args = ["verify", folder.path("model"), "--golden", golden];
  const { end, stdout } = await runCli(args);
  expect(end).toBe(1);
  expect(stdout).toMatch(/^DIFFERS +/m);
  const json = await runCli([...args, "--json"]);
  expect(json.end).toBe(1);
  const report = JSON.parse(json.stdout);
  expect(report).toMatchObject({ skipped: expect.any(Array), stages: expect.any(Array) });
  expect(report.failed).toBeGreaterThan(0);
  expect(report.cases[0]).toMatchObject({ kind: expect.any(String), passed: expect.any(Number) });
});

it("needs no model for pictures and texts", async () => {
  const args = ["verify", "--golden", "test/fixtures/preprocess/golden.json", "--json"];
  const { end, stdout } = await runCli(args);
  expect(end).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ failed: 0 });
});

it("says so where a model is needed", async () => {
  const { end, stderr } = await runCli(["verify", "--golden", `${micro}/golden.json`]);
  expect(end).toBe(1);
  expect(stderr).toContain("want a converted model");
});
