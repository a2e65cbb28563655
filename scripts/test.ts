/**
 * Sets everything up, then runs all checks. Each runs even if one before it
 * failed; the last line counts them, every gate and every test as one.
 */
import { readFile, rm } from "node:fs/promises";
import { resolve } from "node:path";
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

/** Checks that pass or fail as a whole: package scripts, as arguments of pnpm. */
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

// Programs are started hundreds of times: each finds its sources already compiled.
process.env["NODE_COMPILE_CACHE"] ??= resolve(".cache/node");

const tallies = await runAll();
console.log(`\n${summary(tallies)}`);
process.exitCode = tallies.some(({ failed }) => failed.length > 0) ? 1 : 0;

async function runAll(): Promise<Tally[]> {
  const packages = await tallyOfStep("packages", installPackages);
  if (packages.failed.length > 0) return [packages]; // nothing else can run

  // Types and unused code of the playground are judged with what SvelteKit generates for them.
  const generated = await tallyOfStep("playground types", syncPlayground);
  const results = [generated];
  // Two at a time: each keeps little more than one core busy. Together they take about as long.
  const [ofPages, ofPackages] = await Promise.all([
    oneByOne([
      () => runGate("types of the playground"),
      () => tallyOfStep("nano model", convertNano),
      () => tallyOfStep("playground", buildPlayground),
      () => tallyOfStep("nano model for pages", placeNano),
      () => runGate("unused code"),
    ]),
    oneByOne([
      () => runGate("types"),
      () => runGate("types for pages"),
      () => runGate("lint"),
      () => runGate("import directions"),
      () => runGate("API reference"),
      () => runGate("format"),
      () => tallyOfStep("packages to install", buildPackages),
    ]),
  ]);
  results.push(...ofPages, ...ofPackages);
  const browser = await tallyOfStep("browser", async () => void (await bringBrowser()));
  results.push(browser);
  results.push(await runVitest("tests", ["--project=!e2e"]));
  if (browser.failed.length === 0)
    results.push(await runVitest("browser tests", ["--project=e2e"]));
  return results;
}

async function oneByOne(works: readonly (() => Promise<Tally>)[]): Promise<Tally[]> {
  const results: Tally[] = [];
  for (const work of works) results.push(await work());
  return results;
}

async function runGate(title: keyof typeof gates): Promise<Tally> {
  const start = performance.now();
  const { code, output, interrupted } = await runProgram("pnpm", gates[title], { output: "keep" });
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
