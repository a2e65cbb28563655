/**
 * Sets everything up, then runs all checks. Each runs even if one before it
 * failed; the last line counts them, every gate and every test as one.
 */
import { readFile, rm } from "node:fs/promises";
import { bringBrowser } from "./browser.ts";
import { runProgram } from "./program.mjs";
import {
  buildPackages,
  buildPlayground,
  convertNano,
  installPackages,
  placeNano,
  syncPlayground,
} from "./setUp.ts";
import { explain, seconds } from "./step.ts";
import { noTests, summary, tallyOf } from "./tally.ts";
import type { Tally, VitestReport } from "./tally.ts";

/** Checks that pass or fail as a whole: package scripts, as arguments of pnpm. The longest come first. */
const gates = {
  "types of the playground": ["--dir", "apps/playground", "run", "check"],
  types: ["run", "typecheck"],
  "types for pages": ["run", "typecheck:web"],
  "API reference": ["run", "api"],
  "import directions": ["run", "imports"],
  lint: ["run", "lint"],
  format: ["run", "format:check"],
  "unused code": ["run", "unused"],
};

const tallies = await runAll();
console.log(`\n${summary(tallies)}`);
process.exitCode = tallies.some(({ failed }) => failed.length > 0) ? 1 : 0;

async function runAll(): Promise<Tally[]> {
  const packages = await tallyOfStep("packages", installPackages);
  if (packages.failed.length > 0) return [packages]; // nothing else can run

  // Types and unused code of the playground are judged with what SvelteKit generates for them.
  const generated = await tallyOfStep("playground types", syncPlayground);
  const results = [generated];
  results.push(...(await runGates()));
  results.push(await tallyOfStep("nano model", convertNano));
  results.push(await tallyOfStep("packages to install", buildPackages));
  results.push(await tallyOfStep("playground", buildPlayground));
  results.push(await tallyOfStep("nano model for pages", placeNano));
  results.push(await runVitest("tests", ["--project=!e2e"]));
  results.push(await runBrowserTests());
  return results;
}

/** Two at a time: each keeps little more than one core busy. */
async function runGates(): Promise<Tally[]> {
  const results: Tally[] = [];
  const waiting = Object.entries(gates);
  const work = async (): Promise<void> => {
    for (let gate = waiting.shift(); gate !== undefined; gate = waiting.shift())
      results.push(await runGate(...gate));
  };
  await Promise.all([work(), work()]);
  return results;
}

async function runGate(title: string, args: readonly string[]): Promise<Tally> {
  const start = performance.now();
  const { code, output, interrupted } = await runProgram("pnpm", args, { output: "keep" });
  if (interrupted) process.exit(code || 1);
  if (code !== 0) console.log(output.trimEnd());
  console.log(`${code === 0 ? "✓" : "✗"} ${title} (${seconds(performance.now() - start)})`);
  return code === 0 ? { ...noTests, passed: 1 } : { ...noTests, failed: [title] };
}

/** A step of the set-up counts only where it fails. */
async function tallyOfStep(title: string, work: () => Promise<unknown>): Promise<Tally> {
  try {
    await work();
    return noTests;
  } catch (error) {
    explain(error);
    return { ...noTests, failed: [title] };
  }
}

async function runVitest(title: string, args: readonly string[]): Promise<Tally> {
  const reportFile = `.cache/${title.replaceAll(" ", "-")}.json`;
  await rm(reportFile, { force: true });
  const { code, interrupted } = await runProgram("node", [
    "node_modules/vitest/vitest.mjs",
    "run",
    ...args,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${reportFile}`,
  ]);
  if (interrupted) process.exit(code || 1);
  const report = await readFile(reportFile, "utf8").catch(() => undefined);
  return tallyOf(
    title,
    code,
    report === undefined ? undefined : (JSON.parse(report) as VitestReport),
  );
}

async function runBrowserTests(): Promise<Tally> {
  const browser = await tallyOfStep("browser tests", async () => void (await bringBrowser()));
  return browser.failed.length > 0 ? browser : runVitest("browser tests", ["--project=e2e"]);
}
