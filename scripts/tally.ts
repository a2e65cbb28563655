import { relative } from "node:path";

/** Counts of checks, each gate being one and each test being one. */
export interface Tally {
  readonly passed: number;
  /** Names of those that failed. */
  readonly failed: readonly string[];
  readonly skipped: number;
}

export const noTests: Tally = { passed: 0, failed: [], skipped: 0 };

/** What is read of vitest's JSON report. */
export interface VitestReport {
  testResults: {
    /** The file. */
    name: string;
    status: string;
    assertionResults: { fullName: string; status: string }[];
  }[];
}

/**
 * Counts a run of vitest. A file that fails outside its tests (it cannot be
 * loaded) is one failure, and so is a run that fails outside its files (no
 * report, an error nobody caught).
 */
export function tallyOf(title: string, code: number, report: VitestReport | undefined): Tally {
  let passed = 0;
  let skipped = 0;
  const failed: string[] = [];
  for (const file of report?.testResults ?? []) {
    const before = failed.length;
    const name = relative(".", file.name);
    for (const { fullName, status } of file.assertionResults) {
      if (status === "passed") passed++;
      else if (status === "failed") failed.push(`${name} > ${fullName}`);
      else skipped++;
    }
    if (file.status === "failed" && failed.length === before) failed.push(name);
  }
  if (code !== 0 && failed.length === 0) failed.push(`${title} (ended with code ${code})`);
  return { passed, failed, skipped };
}

/** The last lines of `npm test`: what failed, then the counts. */
export function summary(tallies: readonly Tally[]): string {
  const passed = tallies.reduce((sum, tally) => sum + tally.passed, 0);
  const skipped = tallies.reduce((sum, tally) => sum + tally.skipped, 0);
  const failed = tallies.flatMap((tally) => tally.failed);
  const lines = failed.length > 0 ? ["Failed:", ...failed.map((name) => `  ${name}`), ""] : [];
  lines.push(
    `${passed} passed, ${failed.length} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`,
  );
  return lines.join("\n");
}
