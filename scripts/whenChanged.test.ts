import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { whenChanged } from "./whenChanged.ts";

let builds = 0;

async function build(): Promise<void> {
  builds++;
  await writeFile("output", "");
}

const run = (how = build) =>
  whenChanged({ name: "thing", inputs: ["source", "one.json"], output: "output" }, how);

beforeEach(async () => {
  builds = 0;
  process.chdir(await mkdtemp(join(tmpdir(), "when changed-")));
  await mkdir("source/deep", { recursive: true });
  await mkdir("source/node_modules");
  await writeFile("source/deep/a.ts", "a");
  await writeFile("one.json", "{}");
  await run();
});

afterEach(async () => {
  const folder = process.cwd();
  process.chdir(tmpdir());
  await rm(folder, { recursive: true });
});

test("what is unchanged is built once", async () => {
  await run();
  expect(builds).toBe(1);
});

test.each([
  ["a changed file", () => writeFile("source/deep/a.ts", "b")],
  ["a new file", () => writeFile("source/b.ts", "")],
  ["a removed file", () => rm("source/deep/a.ts")],
  ["a changed single input", () => writeFile("one.json", "[]")],
  ["a missing output", () => rm("output")],
])("%s builds again", async (_, change) => {
  await change();
  await run();
  expect(builds).toBe(2);
});

test("what is made from sources is not looked at", async () => {
  await writeFile("source/node_modules/a.js", "");
  await run();
  expect(builds).toBe(1);
});

test("what is wanted twice at once is built once, and nobody goes on before it is there", async () => {
  await rm("output");
  const slowly = async (): Promise<void> => {
    await setTimeout(300);
    await build();
  };
  const wanted = [run(slowly), run(slowly)];
  await Promise.race(wanted);
  expect(existsSync("output")).toBe(true);
  await Promise.all(wanted);
  expect(builds).toBe(2);
});

test("a build that failed is done again", async () => {
  await writeFile("one.json", "[]");
  await expect(
    run(async () => {
      throw new Error("no");
    }),
  ).rejects.toThrow("no");
  await run();
  expect(builds).toBe(2);
});
