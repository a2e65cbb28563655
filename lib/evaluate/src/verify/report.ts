/** What `verify` found: numeric stages and cases that are equal or not. */

export interface StageResult {
  stage: string;
  /** Largest absolute difference from the golden data. */
  difference: number;
  tolerance: number;
  passed: boolean;
}

/** How a kind of whole answers came out, case by case. */
export interface CaseResult {
  kind: string;
  passed: number;
  failed: number;
  /** The first failures, in words. */
  failures: string[];
}

/** How a model came out against the reference's numbers. */
export interface VerifyReport {
  passed: number;
  failed: number;
  /** What was not run, and why. */
  skipped: string[];
  stages: StageResult[];
  cases: CaseResult[];
}

const failuresShown = 5;

/** Collects results; one stage or case counts as one. */
export class Report {
  readonly #stages: StageResult[] = [];
  readonly #cases = new Map<string, CaseResult>();
  readonly #skipped: string[] = [];

  /** Compares a stage's values; a difference in length or a NaN is a failure. */
  stage(stage: string, got: Float32Array, want: Float32Array, tolerance: number): void {
    let difference = got.length === want.length ? 0 : Infinity;
    for (let i = 0; i < want.length && difference < Infinity; i++) {
      const d = Math.abs(got[i]! - want[i]!);
      if (!(d <= difference)) difference = Number.isNaN(d) ? Infinity : d;
    }
    this.#stages.push({ stage, difference, tolerance, passed: difference <= tolerance });
  }

  /** A distance that was measured elsewhere; NaN is a failure. */
  distance(stage: string, difference: number, tolerance: number): void {
    this.#stages.push({ stage, difference, tolerance, passed: difference <= tolerance });
  }

  case(kind: string, name: string, got: unknown, want: unknown): void {
    const [gotText, wantText] = [JSON.stringify(got), JSON.stringify(want)];
    this.outcome(
      kind,
      gotText === wantText ? undefined : `${name}: want ${wantText}, got ${gotText}`,
    );
  }

  /** @param failure what is wrong, or undefined where the case passed */
  outcome(kind: string, failure: string | undefined): void {
    const result = this.#cases.get(kind) ?? { kind, passed: 0, failed: 0, failures: [] };
    this.#cases.set(kind, result);
    if (failure === undefined) result.passed++;
    else result.failed++;
    if (failure !== undefined && result.failures.length < failuresShown)
      result.failures.push(failure.length > 500 ? `${failure.slice(0, 500)}…` : failure);
  }

  skip(reason: string): void {
    this.#skipped.push(reason);
  }

  finish(): VerifyReport {
    const cases = [...this.#cases.values()];
    const stagesPassed = this.#stages.filter(({ passed }) => passed).length;
    const sum = (key: "passed" | "failed") => cases.reduce((total, one) => total + one[key], 0);
    return {
      passed: stagesPassed + sum("passed"),
      failed: this.#stages.length - stagesPassed + sum("failed"),
      skipped: this.#skipped,
      stages: this.#stages,
      cases,
    };
  }
}
