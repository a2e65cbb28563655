import { expect, it } from "vitest";
import { runCli } from "./testing/runCli.ts";

const stageFile = "test/fixtures/micro-stage4/TinyGPT-V_for_Stage4.pth";

it("explains itself", async () => {
  const { end, stdout, stderr } = await runCli(["--help"]);
  expect(end).toBe(0);
  expect(stderr).toBe("");
  for (const command of ["ask", "convert", "verify", "inspect", "pull"]) {
    expect(stdout).toMatch(new RegExp(`^  ${command} `, "m"));
  }
});

it.each([
  ["no command", [], "Usage: tinygptv"],
  ["an unknown command", ["asc"], "unknown command 'asc'\n(Did you mean ask?)"],
  ["an unknown option", ["inspect", stageFile, "--jsom"], "unknown option '--jsom'"],
  ["a missing argument", ["ask"], "missing required argument 'model'"],
  ["a missing option", ["verify", "model"], "required option '--golden <file>'"],
  ["a bad value", ["convert", "--image-size", "big"], "Want a whole number from 1, got big."],
  [
    "a level there is not",
    ["convert", "--dtype", "fp32,fp8", "--from", "models/nano/checkpoint", "--out", "never"],
    "level: want one of fp32, fp16, ",
  ],
])("exits 2 on %s", async (_, args, message) => {
  const { end, stdout, stderr } = await runCli(args);
  expect(end).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toContain(message);
});

it("says what failed in one line, and where with --debug", async () => {
  const failed = await runCli(["inspect", "no/such/file"]);
  expect(failed).toMatchObject({ end: 1, stdout: "" });
  expect(failed.stderr).toMatch(/^error: no\/such\/file: want a file or a folder, got .*\n$/);
  const { stderr } = await runCli(["--debug", "inspect", "no/such/file"]);
  expect(stderr).toMatch(/^TinyGptvError: no\/such\/file.*\n    at /);
  expect(stderr).toContain("caused by: Error: ENOENT");
});

it("writes no colours and no progress where there is no terminal", async () => {
  const { stdout, stderr } = await runCli([
    "verify",
    "--golden",
    "test/fixtures/tokenizer/cases.json",
  ]);
  expect(stdout).toMatch(/\d+ passed, 0 failed\n$/);
  expect(stdout + stderr).not.toContain("\u001b");
});

it("ends quietly when its reader has seen enough", async () => {
  const { end, stderr } = await runCli(["inspect", stageFile], (child) => child.stdout?.destroy());
  expect({ end, stderr }).toEqual({ end: 0, stderr: "" });
});
