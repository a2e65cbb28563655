import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { noTests, summary, tallyOf } from "./tally.ts";

/** The tally of a real run of vitest over these files. */
function tallyOfRun(files: Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), "tally-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const report = join(folder, "report.json");
  const { status } = spawnSync(process.execPath, [
    "node_modules/vitest/vitest.mjs",
    "run",
    "--globals",
    `--root=${folder}`,
    "--reporter=json",
    `--outputFile=${report}`,
  ]);
  const tally = tallyOf("tests", status ?? 1, JSON.parse(readFileSync(report, "utf8")));
  return { ...tally, failed: tally.failed.map((name) => name.replace(relative(".", folder), "")) };
}

test("tests are counted one by one", () => {
  const run = tallyOfRun({
    "a.test.js": `
      test("good", () => {});
      describe("group", () => test("bad", () => expect(1).toBe(2)));
      test.skip("later", () => {});
      test.todo("some day");`,
    "b.test.js": `test("good too", () => {});`,
  });
  expect(run).toEqual({ passed: 2, failed: ["/a.test.js > group bad"], skipped: 2 });
});

test("a file that cannot be loaded is a failure", () => {
  const run = tallyOfRun({
    "a.test.js": `test("good", () => {});`,
    "b.test.js": `import "./missing.js"; test("never runs", () => {});`,
  });
  expect(run).toEqual({ passed: 1, failed: ["/b.test.js"], skipped: 0 });
});

test("an error that nobody caught is a failure", () => {
  const run = tallyOfRun({
    "a.test.js": `test("good", () => void Promise.reject(new Error("lost")));`,
  });
  expect(run).toEqual({ passed: 1, failed: ["tests (ended with code 1)"], skipped: 0 });
});

test("a run without a report is a failure", () => {
  expect(tallyOf("tests", 134, undefined).failed).toEqual(["tests (ended with code 134)"]);
});

test("the summary ends with the counts alone on a line", () => {
  const good = { ...noTests, passed: 3 };
  expect(summary([good, good])).toBe("6 passed, 0 failed");
  expect(summary([good, { passed: 0, failed: ["lint"], skipped: 2 }])).toBe(
    "Failed:\n  lint\n\n3 passed, 1 failed, 2 skipped",
  );
});
