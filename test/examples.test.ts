/** The programs that docs/library.md shows, run as they stand there. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const run = async (name: string): Promise<string> => {
  const program = join("apps/examples/src", name);
  return (await promisify(execFile)(process.execPath, [program], { cwd: root })).stdout;
};

it("asks one question", async () => {
  expect(await run("ask.ts")).toBe("I see an apple on a white background.\n");
});

it("shows two rounds as they come", async () => {
  const rounds = (await run("stream.ts")).trimEnd().split("\n");
  expect(rounds).toHaveLength(2);
  expect(rounds[0]).toContain("apple");
});

it("ranks answers", async () => {
  expect((await run("score.ts")).split("\n")[0]).toMatch(/^-\d+\.\d{3} {2}an apple$/);
});
